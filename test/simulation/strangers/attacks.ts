import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { slaProofOf } from '../../../infra/verify/observed.fixture.ts';

/** What an attacker has: an address, and keys of submitters. */
export interface Means {
  readonly apiUrl: string;
  readonly keys: readonly string[];
}

const MIB = 1024 * 1024;
const AGAIN_MS = 1_000;

const keyOf = ({ keys }: Means, index: number): string => keys[index % keys.length] as string;

/** Does `work` as one of so many attackers, over and over; what is refused or ended is tried again a second later. */
const forever = (
  count: number,
  work: (index: number) => Promise<void>,
  pauseMs = AGAIN_MS,
): Promise<unknown> =>
  Promise.all(
    Array.from({ length: count }, async (_, index) => {
      for (;;) {
        await work(index).catch(() => undefined);
        await delay(pauseMs);
      }
    }),
  );

/** Twelve uploads of the largest size at a time, each of other bytes, deleted again to get round the quota. */
const uploads = async (means: Means): Promise<void> => {
  const bytes = randomBytes(64 * MIB);
  await forever(
    12,
    async (index) => {
      // Other bytes each time: the first sixteen are changed, and the hash with them.
      const own = Buffer.concat([randomBytes(16), bytes.subarray(16)]);
      const sha256 = createHash('sha256').update(own).digest('hex');
      const headers = { 'X-API-Key': keyOf(means, index), 'Content-Type': 'application/octet-stream' };
      const url = `${means.apiUrl}/v1/artifacts/${sha256}`;
      await (await fetch(url, { method: 'PUT', headers, body: own })).text();
      await (await fetch(url, { method: 'DELETE', headers })).text();
    },
    10,
  );
};

/** A connection upgraded to a WebSocket, of which every byte is the attacker's own. */
const upgrade = (means: Means, index: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const { hostname, port, host } = new URL(means.apiUrl);
    const socket = connect(Number(port), hostname);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
    const lines = [
      'GET /ws HTTP/1.1',
      `Host: ${host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      `X-API-Key: ${keyOf(means, index)}`,
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    socket.once('data', (answer: Buffer) => {
      if (!answer.toString('latin1').startsWith('HTTP/1.1 101')) return socket.destroy();
      resolve(socket);
    });
  });

const ended = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });

/** A masked text frame; `announced` bytes of payload, of which `sent` follow. */
const frame = (announced: number, payload: Buffer): Buffer => {
  const header = Buffer.alloc(14);
  header[0] = 0x81;
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(BigInt(announced), 2);
  return Buffer.concat([header, payload]);
};

/** 2,500 connections that each send the first 300 KiB of a message and keep it open. */
const halfFrames = (means: Means): Promise<unknown> =>
  forever(2_500, async (index) => {
    const socket = await upgrade(means, index);
    socket.resume();
    socket.write(frame(MIB, Buffer.alloc(300 * 1024, 0x20)));
    await ended(socket);
  });

/** Sockets that ask for the whole log and for answers without end, and read nothing. */
const deafSockets = (means: Means): Promise<unknown> =>
  forever(300, async (index) => {
    const socket = await upgrade(means, index);
    socket.pause();
    const say = (text: string): void => void socket.write(frame(text.length, Buffer.from(text)));
    say(
      JSON.stringify({
        action: 'subscribe',
        topics: ['job_status', 'auction_updates', 'realtime_job'],
        from: '0',
      }),
    );
    while (!socket.destroyed) {
      for (let n = 0; n < 50; n++) say('{"action":"ping"}');
      await delay(100);
    }
  });

/** Proofs of as many reports as the shape allows, and of as many as the API takes, each signature valid. */
const proofs = async (means: Means): Promise<void> => {
  const up = [{ state: 'up', count: 1000 } as const];
  const proof = slaProofOf([up, up, up]);
  const reports = (count: number) => Array.from({ length: count }, (_, n) => proof.reports[n % 3]);
  const bodies = [256, 64].map((count) => JSON.stringify({ proof: { ...proof, reports: reports(count) } }));
  await forever(
    16,
    async (index) => {
      const response = await fetch(`${means.apiUrl}/v1/fog/proofs/verify`, {
        method: 'POST',
        headers: { 'X-API-Key': keyOf(means, index), 'Content-Type': 'application/json' },
        body: bodies[index % 2] as string,
      });
      await response.text();
    },
    10,
  );
};

/** New shapes of predicates, one after the other. */
const shapes = (means: Means): Promise<unknown> => {
  let shape = 0;
  return forever(5, async (index) => {
    shape += 1;
    const clauses = Array.from({ length: 1 + (shape % 12) }, (_, n) => `age ${n % 2 ? '>=' : '=='} ${n}`);
    const response = await fetch(`${means.apiUrl}/v1/fog/zk/predicate`, {
      method: 'POST',
      headers: { 'X-API-Key': keyOf(means, index), 'Content-Type': 'application/json' },
      body: JSON.stringify({ predicate: clauses.join(shape % 2 ? ' or ' : ' and ') }),
    });
    await response.text();
  });
};

/** The attacks of rows 10 and 14, by name. Each goes on until its process is ended. */
export const ATTACKS: Readonly<Record<string, (means: Means) => Promise<unknown>>> = {
  'parallel uploads': uploads,
  'half-sent frames': halfFrames,
  'sockets that never read': deafSockets,
  'proofs to verify': proofs,
  'new predicate shapes': shapes,
};
