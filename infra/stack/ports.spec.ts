import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { allocatePort, allocatePorts, isPortFree } from './ports.ts';

test('allocated ports are free, distinct and outside the range of outgoing connections', async () => {
  const ports = await allocatePorts(200);
  expect(new Set(ports).size).toBe(200);
  expect(ports.every((port) => port >= 20_000 && port < 32_000)).toBe(true);
  expect(await isPortFree(ports[0] as number)).toBe(true);
});

test('a port in use is not free', async () => {
  const port = await allocatePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  expect(await isPortFree(port)).toBe(false);
  await new Promise((resolve) => server.close(resolve));
  expect(await isPortFree(port)).toBe(true);
});
