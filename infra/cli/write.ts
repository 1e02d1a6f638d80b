import type { Writable } from 'node:stream';

/** Writes and waits until it is handed over: a process that ends right after loses nothing on a pipe. */
export const write = (stream: Writable, data: string | Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(data, (error) => (error ? reject(error) : resolve()));
  });

export const writeLines = (stream: Writable, lines: readonly string[]): Promise<void> =>
  write(stream, lines.map((line) => `${line}\n`).join(''));
