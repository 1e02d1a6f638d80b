import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { type Artifact, type Artifacts, MAX_ARTIFACT_BYTES } from '../../domain/ports/artifacts.ts';

interface ArtifactRow {
  readonly sha256: string;
  readonly owner: string;
  readonly size: number;
  readonly media_type: string;
  readonly signature: string;
  readonly created_at: string;
}

/** What the engine countersigns: the facts of an upload, one per line. */
const statement = ({
  sha256,
  owner,
  size,
  createdAt,
}: Pick<Artifact, 'sha256' | 'owner' | 'size' | 'createdAt'>) =>
  [sha256, owner, String(size), createdAt].join('\n');

export const ARTIFACT_DOMAIN = 'aivillage-artifact-v1';

const artifactOf = (row: ArtifactRow): Artifact => ({
  sha256: row.sha256,
  owner: row.owner,
  size: row.size,
  mediaType: row.media_type,
  signature: row.signature,
  createdAt: row.created_at,
});

/** Signs for the engine; see `isCountersigned`. */
export interface Countersigner {
  sign(domain: string, message: string): string;
}

/** Whether the countersignature of `artifact` is ours. */
export const isCountersigned = (
  signer: { verify(domain: string, message: string, signature: string): boolean },
  artifact: Artifact,
): boolean => signer.verify(ARTIFACT_DOMAIN, statement(artifact), artifact.signature);

/** Artefacts as rows of `engine.artifacts`. `now` gives RFC 3339 instants. */
export const createPostgresArtifacts = ({
  pool,
  signer,
  now,
}: {
  pool: Pool;
  signer: Countersigner;
  now: () => string;
}): Artifacts => {
  const find = async (sha256: string, reader?: string): Promise<Artifact | null> => {
    const { rows } = await pool.query<ArtifactRow>(
      `select sha256, owner, size, media_type, signature,
              to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at
         from engine.artifacts a
        where sha256 = $1
          and ($2::text is null or exists (
            select from engine.artifact_readers r where r.sha256 = a.sha256 and r.reader = $2))`,
      [sha256, reader ?? null],
    );
    return rows[0] ? artifactOf(rows[0]) : null;
  };

  return {
    find,
    put: async (bytes, owner, mediaType) => {
      if (bytes.length > MAX_ARTIFACT_BYTES) throw new RangeError('the artefact is larger than 64 MiB');
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const createdAt = now();
      const signature = signer.sign(
        ARTIFACT_DOMAIN,
        statement({ sha256, owner, size: bytes.length, createdAt }),
      );
      // Known bytes are not sent again: they may be 64 MiB.
      const known = await find(sha256);
      if (!known) {
        await pool.query(
          `insert into engine.artifacts (sha256, bytes, size, media_type, owner, signature, created_at)
           values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
          [sha256, bytes, bytes.length, mediaType, owner, signature, createdAt],
        );
      }
      await pool.query(
        'insert into engine.artifact_readers (sha256, reader) values ($1, $2) on conflict do nothing',
        [sha256, owner],
      );
      const stored = known ?? (await find(sha256));
      if (!stored) throw new Error(`artefact ${sha256} vanished while it was stored`);
      return stored;
    },
    read: async (sha256) => {
      const { rows } = await pool.query<{ bytes: Buffer }>(
        'select bytes from engine.artifacts where sha256 = $1',
        [sha256],
      );
      return rows[0]?.bytes ?? null;
    },
  };
};
