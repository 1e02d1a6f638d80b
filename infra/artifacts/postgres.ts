import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { ok, type Result, reject } from '../../domain/errors.ts';
import {
  type Artifact,
  type Artifacts,
  MAX_ARTIFACT_BYTES,
  UPLOAD_KEPT_SECONDS,
  type Uploads,
} from '../../domain/ports/artifacts.ts';
import { createContents } from './contents.ts';
import { type Countersigner, createReferences, type Kept } from './references.ts';
import { createRetention } from './retention.ts';

export interface ArtifactOptions {
  readonly pool: Pool;
  readonly signer: Countersigner;
  /** RFC 3339. */
  readonly now: () => string;
  /** Most bytes of uploads that one principal may keep. */
  readonly quotaBytes?: number;
}

/** What a principal may keep unless told otherwise: sixteen artefacts of the largest size. */
export const DEFAULT_QUOTA_BYTES = 16 * MAX_ARTIFACT_BYTES;

/** SQLSTATE: what a reference points to is being deleted. */
const FOREIGN_KEY = '23503';
const isDeletedMeanwhile = (error: unknown): boolean =>
  (error as { readonly code?: unknown } | null)?.code === FOREIGN_KEY;

/** First bytes that tell what kind of file it is. */
const HEAD_BYTES = 64;

/** Bytes that were received: stored as a content of their own, or known before (null). */
interface Received {
  readonly sha256: string;
  readonly size: number;
  readonly head: Uint8Array;
  readonly content: string | null;
}

/** Artefacts in `engine.artifacts`, their bytes in chunks, and for each owner a reference. */
export const createPostgresArtifacts = ({
  pool,
  signer,
  now,
  quotaBytes = DEFAULT_QUOTA_BYTES,
}: ArtifactOptions): Artifacts & Uploads => {
  const contents = createContents(pool);
  const references = createReferences({ signer, now });

  const inTransaction = async <T>(work: (db: PoolClient) => Promise<Result<T>>): Promise<Result<T>> => {
    const db = await pool.connect();
    let broken = true;
    try {
      await db.query('begin');
      const result = await work(db);
      await db.query(result.ok ? 'commit' : 'rollback');
      broken = false;
      return result;
    } catch (error) {
      await db.query('rollback').then(
        () => {
          broken = false;
        },
        () => undefined,
      );
      throw error;
    } finally {
      db.release(broken);
    }
  };

  /** Refuses what would exceed the owner's quota. Uploads of one owner are counted one after the other. */
  const overQuota = async (db: PoolClient, { sha256, size, owner }: Kept): Promise<Result<null>> => {
    await db.query(`select pg_advisory_xact_lock(hashtext('artefacts of ' || $1))`, [owner]);
    const { rows } = await db.query<{ kept: number }>(
      `select coalesce(sum(a.size), 0)::float8 as kept
         from engine.artifact_references r join engine.artifacts a using (sha256)
        where r.owner = $1 and r.uploaded and r.sha256 <> $2`,
      [owner, sha256],
    );
    if ((rows[0]?.kept ?? 0) + size <= quotaBytes) return ok(null);
    return reject('CONFLICT', 'you keep too many artefacts: delete some, or wait until they expire', [
      { field: 'body', rule: `at most ${quotaBytes} bytes of artefacts for each principal` },
    ]);
  };

  /** @returns whether the bytes are there, stored by this call or before it. */
  const place = async (db: PoolClient, { sha256, size, content }: Received): Promise<boolean> => {
    if (content !== null) {
      await db.query(
        `insert into engine.artifacts (sha256, size, content, created_at) values ($1, $2, $3, $4)
         on conflict do nothing`,
        [sha256, size, content, now()],
      );
      return true;
    }
    const { rowCount } = await db.query('select from engine.artifacts where sha256 = $1 for key share', [
      sha256,
    ]);
    return rowCount === 1;
  };

  const keepOnce = (received: Received, kept: Kept): Promise<Result<Artifact>> =>
    inTransaction(async (db) => {
      const refused = kept.uploaded ? await overQuota(db, kept) : ok(null);
      if (!refused.ok) return refused;
      if (!(await place(db, received)))
        return reject('RESOURCE_UNAVAILABLE', 'the artefact was deleted meanwhile: send it again');
      return ok(await references.add(db, kept));
    });

  const keep = async (received: Received, kept: Kept): Promise<Result<Artifact>> => {
    try {
      return await keepOnce(received, kept);
    } catch (error) {
      if (!isDeletedMeanwhile(error)) throw error;
      // The same bytes were just being swept away, and are gone now.
      return keepOnce(received, kept);
    }
  };

  const receive = async (bytes: AsyncIterable<Uint8Array>, expected: string): Promise<Received> => {
    const known = await contents.of(expected);
    const hash = createHash('sha256');
    let size = 0;
    let head: Uint8Array = new Uint8Array();
    const content = await contents.write(bytes, known === null, (chunk) => {
      hash.update(chunk);
      if (size === 0) head = Uint8Array.from(chunk.subarray(0, HEAD_BYTES));
      size += chunk.length;
    });
    return { sha256: hash.digest('hex'), size, head, content };
  };

  /** Deletes the content of a `received` that nobody keeps: refused, or stored by somebody else meanwhile. */
  const discard = async ({ sha256, content }: Received): Promise<void> => {
    if (content === null || (await contents.of(sha256))?.content === content) return;
    await contents.drop(content);
  };

  const read = async (sha256: string): Promise<Uint8Array | null> => {
    const stored = await contents.of(sha256);
    return stored && contents.read(stored.content, stored.size);
  };

  return {
    ...createRetention(pool),
    find: (sha256, owner) => references.find(pool, sha256, owner),
    read,
    put: async (bytes, owner, mediaType) => {
      const size = bytes.length;
      if (size > MAX_ARTIFACT_BYTES) throw new RangeError('the artefact is larger than 64 MiB');
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const received = await receive(oneOf(bytes), sha256);
      const kept = await keep(received, {
        ...{ sha256, size, owner, mediaType },
        uploaded: false,
        keptSeconds: null,
      });
      await discard(received);
      if (!kept.ok) throw new Error(`${sha256}: ${kept.message}`);
      return kept.value;
    },
    receive: async (bytes, expected) => {
      const received = await receive(bytes, expected);
      const { sha256, size, head, content } = received;
      return {
        ...{ sha256, size, head },
        read: async () => {
          const all = content === null ? await read(sha256) : await contents.read(content, size);
          if (!all) throw new Error(`artefact ${sha256} was deleted while it was received`);
          return all;
        },
        keep: (owner, mediaType) =>
          keep(received, {
            ...{ sha256, size, owner, mediaType },
            uploaded: true,
            keptSeconds: UPLOAD_KEPT_SECONDS,
          }),
        discard: () => discard(received),
      };
    },
    chunks: async (sha256) => {
      const stored = await contents.of(sha256);
      return stored && contents.chunks(stored.content, stored.size);
    },
  };
};

async function* oneOf(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
