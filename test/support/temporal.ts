import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';

/** `host:port` of the run's Temporal server, started by the first call. Its namespace is `default`. */
export const temporalAddress = async (): Promise<string> => {
  const reply = await text(connect({ host: '127.0.0.1', port: inject('temporalPort') }));
  const { address, error } = JSON.parse(reply) as { address?: string; error?: string };
  if (address === undefined) throw new Error(error ?? 'Temporal did not start');
  return address;
};
