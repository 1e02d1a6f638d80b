import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';

/** The mark of this process on rows that it is answering. It is believed for as long as its advisory lock is held. */
export interface Holder {
  /** The mark for new rows. */
  current(): Promise<bigint>;
  /** Every mark of this process: the present one and those whose lock was lost. */
  marks(): readonly bigint[];
  close(): Promise<void>;
}

/** The server notices within some 20 s that a machine has vanished, and frees the locks of its processes. */
const KEEPALIVE = `set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '5', false),
                   set_config('tcp_keepalives_count', '3', false)`;

/**
 * Takes the lock on a connection of its own. A connection that breaks takes lock and mark with it: the next one has a
 * fresh mark, since the server may hold the old lock for longer than this process may wait.
 */
export const createHolder = async ({
  pool,
  onError,
}: {
  pool: Pool;
  onError: (error: Error) => void;
}): Promise<Holder> => {
  const marks = new Set<bigint>();
  let held: Promise<{ readonly mark: bigint; release(): void }> | null = null;

  const take = async () => {
    const mark = randomBytes(8).readBigInt64BE();
    const client = await pool.connect();
    let isOpen = true;
    const release = (): void => {
      if (isOpen) client.release(true);
      isOpen = false;
    };
    client.on('error', (error) => {
      if (!isOpen) return;
      held = null;
      release();
      onError(error);
    });
    try {
      await client.query(`select pg_advisory_lock($1), ${KEEPALIVE}`, [mark]);
    } catch (error) {
      release();
      throw error;
    }
    marks.add(mark);
    return { mark, release };
  };

  const current = async (): Promise<bigint> => {
    held ??= take();
    try {
      return (await held).mark;
    } catch (error) {
      held = null;
      throw error;
    }
  };

  await current();
  return {
    current,
    marks: () => [...marks],
    close: async () => {
      const last = held;
      held = null;
      (await last)?.release();
    },
  };
};
