import type { Result } from '../errors.ts';

/** Content-addressed bytes: modules, inputs, outputs (settled 23). Bytes never enter events or workflow histories. */
export interface Artifact {
  /** Lower-case hex SHA-256 of the bytes. */
  readonly sha256: string;
  /** Who keeps it: everybody who stored the same bytes has a record of its own. */
  readonly owner: string;
  readonly size: number;
  readonly mediaType: string;
  /** The engine's countersignature over (sha256, owner, size, createdAt), base64url. */
  readonly signature: string;
  /** When this owner stored it first. */
  readonly createdAt: string;
  /** RFC 3339; null for what is kept for good. */
  readonly expiresAt: string | null;
}

/** Largest artefact: 64 MiB. */
export const MAX_ARTIFACT_BYTES = 64 * 1024 * 1024;

/** What an upload is kept for when nothing uses it, and since a job or an enclave used it last, seconds. */
export const UPLOAD_KEPT_SECONDS = 7 * 86_400;
export const USED_KEPT_SECONDS = 60 * 86_400;

export interface Artifacts {
  /** Stores bytes under their hash for good. Storing the same bytes again changes nothing. */
  put(bytes: Uint8Array, owner: string, mediaType: string): Promise<Artifact>;
  /** Metadata of what `owner` keeps, or null. */
  find(sha256: string, owner: string): Promise<Artifact | null>;
  read(sha256: string): Promise<Uint8Array | null>;
}

/** Bytes that have arrived and belong to nobody yet. */
export interface Upload {
  readonly sha256: string;
  readonly size: number;
  /** The first bytes, up to a chunk. */
  readonly head: Uint8Array;
  read(): Promise<Uint8Array>;
  /** Makes them an artefact of `owner`; 409 where the owner would keep more than it may. */
  keep(owner: string, mediaType: string): Promise<Result<Artifact>>;
  /** Forgets what was not kept. */
  discard(): Promise<void>;
}

/** Artefacts of strangers: they come and go chunk by chunk, are counted, and expire. */
export interface Uploads {
  /** Takes in what claims to be `sha256`; bytes that are stored already are read, and not stored twice. */
  receive(bytes: AsyncIterable<Uint8Array>, sha256: string): Promise<Upload>;
  /** The bytes, a chunk at a time; null for what is not stored. */
  chunks(sha256: string): Promise<AsyncIterable<Uint8Array> | null>;
  /** A job or an enclave of `owner` uses these from now on: they stay `USED_KEPT_SECONDS` at least. */
  use(owner: string, hashes: readonly string[]): Promise<void>;
  /** Ends what `owner` keeps under this hash: `used` for what a job or an enclave may still need. */
  remove(sha256: string, owner: string): Promise<'removed' | 'unknown' | 'used'>;
  /** Deletes what has expired, what nobody keeps, and what was left half-sent. */
  sweep(): Promise<void>;
}
