import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

/** A server that runs, and what tests have to know of it. `facts` travel as JSON. */
export interface Running<Facts> {
  readonly facts: Facts;
  stop(): Promise<unknown>;
}

export interface Offer {
  /** Loopback port that answers `demand`. */
  readonly port: number;
  /** Stops the server, if anybody wanted it. */
  stop(): Promise<void>;
}

type Answer<Facts> = { readonly facts: Facts } | { readonly error: string };

/** Offers a server to the workers of a test run: the first demand starts it, every demand is answered with its facts. */
export const offer = async <Facts>(start: () => Promise<Running<Facts>>): Promise<Offer> => {
  let running: Promise<Running<Facts>> | undefined;
  const answer = async (): Promise<Answer<Facts>> => {
    running ??= start();
    try {
      return { facts: (await running).facts };
    } catch (error) {
      return { error: String(error) };
    }
  };
  const listener = createServer((socket: Socket) => {
    // A worker that went away while it waited needs no answer.
    socket.on('error', () => undefined);
    void answer().then((reply) => socket.end(JSON.stringify(reply)));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    stop: async () => {
      await new Promise((resolve) => listener.close(resolve));
      // A failed start was reported to the test that asked.
      const server = await running?.catch(() => undefined);
      await server?.stop();
    },
  };
};

/** The facts of the server offered on `port`. @throws what kept it from starting. */
export const demand = async <Facts>(port: number): Promise<Facts> => {
  const answer = JSON.parse(await text(connect({ host: '127.0.0.1', port }))) as Answer<Facts>;
  if ('error' in answer) throw new Error(answer.error);
  return answer.facts;
};
