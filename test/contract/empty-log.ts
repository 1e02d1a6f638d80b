import { Client } from 'pg';

/** Puts the log of a migrated database back to its start: cheaper than a database per test. */
export const emptyLog = async (url: string): Promise<void> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`truncate log.events, log.commands, log.snapshots;
      update log.head set position = 0, hash = decode(repeat('00', 32), 'hex')`);
  } finally {
    await client.end();
  }
};
