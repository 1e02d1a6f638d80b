import type { MeteredRecord } from '../proof/record.ts';

/** A version of metering, and the hex SHA-256 of what it makes of a module. */
export type Metering = MeteredRecord['metering'];

export interface MeteredModule {
  /** Hex SHA-256 of the module as it was submitted. */
  readonly sha256: string;
  readonly metering: Metering;
  /** The engine's countersignature over (sha256, version, hash of the metered module), `kid.signature`. */
  readonly signature: string;
}

/** What the engine found to be the metered form of each module. Bytes are not kept: whoever has the module makes them. */
export interface MeteredModules {
  find(sha256: string, version: number): Promise<MeteredModule | null>;
  /** Of the same module and version the first record stays. */
  record(sha256: string, metering: Metering): Promise<MeteredModule>;
}
