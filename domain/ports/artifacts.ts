/** Content-addressed bytes: modules, inputs, outputs (settled 23). Bytes never enter events or workflow histories. */
export interface Artifact {
  /** Lower-case hex SHA-256 of the bytes. */
  readonly sha256: string;
  readonly owner: string;
  readonly size: number;
  readonly mediaType: string;
  /** The engine's countersignature over (sha256, owner, size, createdAt), base64url. */
  readonly signature: string;
  readonly createdAt: string;
}

/** Largest artefact: 64 MiB. */
export const MAX_ARTIFACT_BYTES = 64 * 1024 * 1024;

export interface Artifacts {
  /** Stores bytes under their hash. Storing the same bytes again changes nothing and adds `owner` to its readers. */
  put(bytes: Uint8Array, owner: string, mediaType: string): Promise<Artifact>;
  /** Metadata, or null when unknown. `owner` limits the look-up to what that principal may read. */
  find(sha256: string, owner?: string): Promise<Artifact | null>;
  read(sha256: string): Promise<Uint8Array | null>;
}
