import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

/** A way to the database on which the reply to one append can be held back for ever. */
export interface DeafWay {
  /** Connection string of the way. */
  readonly url: string;
  /** The reply to the next append will not arrive; resolves when the server has sent it, so the append is committed. */
  loseNextReply(): Promise<void>;
  close(): void;
}

/** Opens a way to `target` (a connection string). */
export const openDeafWay = async (target: string): Promise<DeafWay> => {
  const { port, hostname } = new URL(target);
  let armed: (() => void) | null = null;
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    let lost: (() => void) | null = null;
    client.on('data', (message) => {
      if (armed && message.includes('log-append')) {
        lost = armed;
        armed = null;
      }
      server.write(message);
    });
    server.on('data', (reply) => {
      if (!lost) return client.write(reply);
      lost();
      return true;
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('close', () => other.destroy());
      one.on('error', () => other.destroy());
    }
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const way = new URL(target);
  way.port = `${(proxy.address() as AddressInfo).port}`;
  return {
    url: way.href,
    loseNextReply: () =>
      new Promise((resolve) => {
        armed = resolve;
      }),
    close: () => proxy.close(),
  };
};
