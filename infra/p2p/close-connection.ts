import type { Connection } from '@libp2p/interface';

/**
 * Closes a connection once what was sent is on its way. Never rejects: where the other end closes first, libp2p rejects
 * with that event, and the connection is as gone as it was meant to be.
 */
export const closeConnection = async (connection: Pick<Connection, 'close' | 'abort'>): Promise<void> => {
  try {
    await connection.close();
  } catch {
    connection.abort(new Error('it did not close in peace'));
  }
};
