const CHUNK = 65_536;

const cipherOf = (seed: string) =>
  // Loaded when a module asks for randomness: it takes a runner a third as long as starting.
  process
    .getBuiltinModule('node:crypto')
    .createCipheriv('aes-256-ctr', Buffer.from(seed, 'hex'), new Uint8Array(16));

/** A deterministic byte stream: the AES-256-CTR key stream under `seed` (hex of 32 bytes), counter from zero. */
export const seededRandom = (seed: string): ((target: Uint8Array) => void) => {
  let cipher: ReturnType<typeof cipherOf> | null = null;
  const zeros = new Uint8Array(CHUNK);
  return (target) => {
    cipher ??= cipherOf(seed);
    for (let at = 0; at < target.length; at += CHUNK) {
      const size = Math.min(CHUNK, target.length - at);
      target.set(cipher.update(zeros.subarray(0, size)), at);
    }
  };
};
