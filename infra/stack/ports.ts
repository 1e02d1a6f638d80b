import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/** Below the ranges from which kernels take the ports of outgoing connections: a restarted server finds its port free. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** True when nothing listens on 127.0.0.1:`port`. */
export const isPortFree = async (port: number): Promise<boolean> => {
  const server = await listen(port);
  if (server === null) return false;
  await close(server);
  return true;
};

/** `count` distinct free TCP ports of 127.0.0.1. All are held until the last one is found, so none comes twice. */
export const allocatePorts = async (count: number): Promise<number[]> => {
  const held = new Map<number, Server>();
  while (held.size < count) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    const server = held.has(port) ? null : await listen(port);
    if (server !== null) held.set(port, server);
  }
  await Promise.all([...held.values()].map(close));
  return [...held.keys()];
};

/** One free TCP port of 127.0.0.1. */
export const allocatePort = async (): Promise<number> => (await allocatePorts(1))[0] as number;

/** Listens on `port`; null when that port is taken. */
const listen = (port: number): Promise<Server | null> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(null) : reject(error),
    );
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => resolve(server));
  });

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
