import type { TrustedRoot } from './roots.ts';

/** What a verifier demands beyond a chain that holds. Every default is the strict one. */
export interface AttestationPolicy {
  /** Trust store; AMD's roots unless given. A simulated root has to be put in on purpose. */
  readonly roots?: readonly TrustedRoot[];
  /** Accept a report that a simulated root vouches for. Default false. */
  readonly allowSimulated?: boolean;
  /** Accept a guest whose host may debug it. Default false. */
  readonly allowDebug?: boolean;
  /** Highest (least privileged) VMPL that is accepted. Default 0. */
  readonly maximumVmpl?: number;
  /** Hex measurements that are accepted; any when absent. */
  readonly measurements?: readonly string[];
}

/** What this one report must say. Absent fields are not demanded, and the result says so. */
export interface AttestationExpectation {
  /** Hex SHA-384 launch measurement. */
  readonly measurement?: string;
  /** 64 bytes; or give `nonce` and `key`. */
  readonly reportData?: Uint8Array;
  /** Hex of 32 bytes each: report_data must be SHA-512(nonce ‖ key). */
  readonly nonce?: string;
  readonly key?: string;
}
