import type { Pool } from 'pg';
import { release } from '../memory/release.ts';
import { queryWithBytes } from '../postgres/query-with-bytes.ts';

/** Bytes of a chunk that is written: what a process holds of an artefact at a time, a few times over. */
const CHUNK_BYTES = 256 * 1024;

/**
 * The same bytes in pieces of `CHUNK_BYTES`, the last one shorter; none of what it was given is kept. Each takes the place of
 * the one before.
 */
async function* inChunks(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let size = 0;
  for await (const received of bytes) {
    for (let taken = 0; taken < received.length; ) {
      const part = received.subarray(taken, taken + CHUNK_BYTES - size);
      chunk.set(part, size);
      taken += part.length;
      size += part.length;
      if (size < CHUNK_BYTES) continue;
      yield chunk;
      size = 0;
    }
  }
  if (size > 0) yield chunk.subarray(0, size);
  // Not where the work on one failed: a connection may still be sending it.
  release(chunk);
}

/** Bytes in `engine.content_chunks`, written and read one chunk at a time. */
export const createContents = (pool: Pool) => {
  const begin = async (): Promise<string> => {
    const { rows } = await pool.query<{ id: string }>(
      'insert into engine.contents default values returning id',
    );
    return (rows[0] as { id: string }).id;
  };

  const drop = async (content: string): Promise<void> => {
    await pool.query('delete from engine.contents where id = $1', [content]);
  };

  return {
    drop,
    /**
     * Takes `bytes` in, chunk by chunk; what fails midway leaves nothing.
     * @param look sees each chunk, which is gone afterwards
     * @param stores false where they are only looked at
     * @returns the content they are stored as
     */
    write: async (
      bytes: AsyncIterable<Uint8Array>,
      stores: boolean,
      look: (chunk: Buffer) => void,
    ): Promise<string | null> => {
      const content = stores ? await begin() : null;
      try {
        let number = 0;
        for await (const chunk of inChunks(bytes)) {
          look(chunk);
          if (content !== null) {
            await queryWithBytes(
              pool,
              'insert into engine.content_chunks (content, number, bytes) values ($1, $2, $3)',
              [content, `${number++}`],
              chunk,
            );
          }
        }
        return content;
      } catch (error) {
        if (content !== null) await drop(content).catch(() => undefined);
        throw error;
      }
    },

    /** The content of a stored artefact. */
    of: async (sha256: string): Promise<{ readonly content: string; readonly size: number } | null> => {
      const { rows } = await pool.query<{ content: string; size: number }>({
        name: 'artifact-content',
        text: 'select content, size from engine.artifacts where sha256 = $1',
        values: [sha256],
      });
      return rows[0] ?? null;
    },

    /** `size` bytes of a content. @throws when they are deleted meanwhile. */
    async *chunks(content: string, size: number): AsyncIterable<Buffer> {
      for (let number = 0, sent = 0; sent < size; number++) {
        const { rows } = await pool.query<{ bytes: Buffer }>(
          'select bytes from engine.content_chunks where content = $1 and number = $2',
          [content, number],
        );
        const [row] = rows;
        if (!row) throw new Error(`content ${content} ends after ${sent} of ${size} bytes`);
        yield row.bytes;
        sent += row.bytes.length;
      }
    },

    /** All of it at once; null when it is deleted meanwhile. */
    read: async (content: string, size: number): Promise<Buffer | null> => {
      const { rows } = await pool.query<{ bytes: Buffer }>({
        name: 'content-bytes',
        text: 'select bytes from engine.content_chunks where content = $1 order by number',
        values: [content],
      });
      const bytes = Buffer.concat(rows.map((row) => row.bytes));
      return bytes.length === size ? bytes : null;
    },
  };
};
