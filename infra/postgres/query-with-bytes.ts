import pg from 'pg';

const BIND = 'B'.charCodeAt(0);
const TEXT = 0;
const BINARY = 1;

/** What the class of pg that sends a statement in steps hands around; its types leave both out. */
interface Connection {
  readonly stream: { write(bytes: Uint8Array): void };
}
interface Prepared {
  prepare(connection: Connection): void;
}

const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

/**
 * Everything of a Bind message of the unnamed statement but its last parameter, `byteLength` bytes that go between the two
 * (PostgreSQL, frontend/backend protocol, message formats).
 */
export const bindAround = (texts: readonly string[], byteLength: number): readonly [Buffer, Buffer] => {
  const parameters = texts.length + 1;
  const values = texts.map((text) => Buffer.from(text));
  const body = Buffer.concat([
    // Names of portal and statement, both empty.
    Buffer.alloc(2),
    int16(parameters),
    ...texts.map(() => int16(TEXT)),
    int16(BINARY),
    int16(parameters),
    ...values.flatMap((value) => [int32(value.length), value]),
    int32(byteLength),
  ]);
  const after = Buffer.concat([int16(1), int16(TEXT)]);
  const length = 4 + body.length + byteLength + after.length;
  return [Buffer.concat([Uint8Array.of(BIND), int32(length), body]), after];
};

/** A statement whose last parameter goes to the socket as it is. pg copies it into a message, which the collector gets. */
class QueryWithBytes extends pg.Query {
  readonly #texts: readonly string[];
  readonly #bytes: Uint8Array;

  constructor(text: string, texts: readonly string[], bytes: Uint8Array) {
    super({ text, queryMode: 'extended' } as pg.QueryConfig);
    this.#texts = texts;
    this.#bytes = bytes;
  }

  prepare(connection: Connection): void {
    const bind = (): void => {
      const [before, after] = bindAround(this.#texts, this.#bytes.length);
      for (const part of [before, this.#bytes, after]) connection.stream.write(part);
    };
    const { prepare } = pg.Query.prototype as unknown as Prepared;
    prepare.call(this, Object.create(connection, { bind: { value: bind } }) as Connection);
  }
}

/**
 * Runs a statement that returns nothing, `texts` for its first parameters and `bytes` for its last. They must not change
 * before it is done, and belong to the connection where it fails.
 */
export const queryWithBytes = async (
  pool: pg.Pool,
  text: string,
  texts: readonly string[],
  bytes: Uint8Array,
): Promise<void> => {
  // pg's types know only of queries that nobody waits for.
  await (pool.query(new QueryWithBytes(text, texts, bytes)) as unknown as Promise<unknown>);
};
