import type { PoolClient } from 'pg';
import type { Artifact } from '../../domain/ports/artifacts.ts';

export const ARTIFACT_DOMAIN = 'aivillage-artifact-v1';

/** Signs for the engine; see `isCountersigned`. */
export interface Countersigner {
  sign(domain: string, message: string): string;
}

interface ReferenceRow {
  readonly sha256: string;
  readonly owner: string;
  readonly size: number;
  readonly media_type: string;
  readonly signature: string | null;
  readonly created_at: string;
  readonly expires_at: string | null;
}

/** What the engine countersigns: the facts of an upload, one per line. */
const statement = ({
  sha256,
  owner,
  size,
  createdAt,
}: Pick<Artifact, 'sha256' | 'owner' | 'size' | 'createdAt'>) =>
  [sha256, owner, String(size), createdAt].join('\n');

/** Whether the countersignature of `artifact` is ours. */
export const isCountersigned = (
  signer: { verify(domain: string, message: string, signature: string): boolean },
  artifact: Artifact,
): boolean => signer.verify(ARTIFACT_DOMAIN, statement(artifact), artifact.signature);

/** What an owner is about to keep. */
export interface Kept {
  readonly sha256: string;
  readonly size: number;
  readonly owner: string;
  readonly mediaType: string;
  readonly uploaded: boolean;
  /** Null: for good. */
  readonly keptSeconds: number | null;
}

const INSTANT = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;

/** Who keeps what, in `engine.artifact_references`. `now` gives RFC 3339 instants. */
export const createReferences = ({ signer, now }: { signer: Countersigner; now: () => string }) => {
  const find = async (
    db: Pick<PoolClient, 'query'>,
    sha256: string,
    owner: string,
  ): Promise<Artifact | null> => {
    const { rows } = await db.query<ReferenceRow>({
      name: 'artifact-reference',
      text: `select r.sha256, r.owner, a.size, r.media_type, r.signature,
              to_char(r.created_at at time zone 'UTC', ${INSTANT}) as created_at,
              to_char(r.expires_at at time zone 'UTC', ${INSTANT}) as expires_at
         from engine.artifact_references r join engine.artifacts a using (sha256)
        where r.sha256 = $1 and r.owner = $2`,
      values: [sha256, owner],
    });
    const [row] = rows;
    if (!row) return null;
    const facts = { sha256: row.sha256, owner: row.owner, size: row.size, createdAt: row.created_at };
    return {
      ...facts,
      mediaType: row.media_type,
      signature: row.signature ?? signer.sign(ARTIFACT_DOMAIN, statement(facts)),
      expiresAt: row.expires_at,
    };
  };

  return {
    find,
    /** Notes that `kept.owner` keeps a stored artefact; an earlier note stays and lasts as long as the longer of both. */
    add: async (
      db: Pick<PoolClient, 'query'>,
      { sha256, size, owner, mediaType, uploaded, keptSeconds }: Kept,
    ): Promise<Artifact> => {
      const createdAt = now();
      const signature = signer.sign(ARTIFACT_DOMAIN, statement({ sha256, owner, size, createdAt }));
      await db.query(
        `insert into engine.artifact_references as held
           (sha256, owner, media_type, signature, created_at, uploaded, expires_at)
         values ($1, $2, $3, $4, $5, $6, $5::timestamptz + $7 * interval '1 second')
         on conflict (sha256, owner) do update set expires_at =
           case when held.expires_at is null or excluded.expires_at is null then null
                else greatest(held.expires_at, excluded.expires_at) end`,
        [sha256, owner, mediaType, signature, createdAt, uploaded, keptSeconds],
      );
      const stored = await find(db, sha256, owner);
      if (!stored) throw new Error(`artefact ${sha256} vanished while it was stored`);
      return stored;
    },
  };
};
