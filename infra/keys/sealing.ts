import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { Sealing } from '../../domain/ports/sealing.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** AES-256-GCM: nonce ‖ ciphertext ‖ tag. */
const encrypt = (key: Uint8Array, plaintext: Uint8Array, context: string): Buffer => {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
};

/** The plaintext, or null when key, context or box do not belong together. */
const decrypt = (key: Uint8Array, box: Uint8Array, context: string): Buffer | null => {
  if (box.length < NONCE_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(context))
    .setAuthTag(box.subarray(box.length - TAG_BYTES));
  const start = decipher.update(box.subarray(NONCE_BYTES, box.length - TAG_BYTES));
  try {
    return Buffer.concat([start, decipher.final()]);
  } catch {
    return null;
  }
};

/** A key that does not exist, or no longer does. */
export class SealingKeyMissing extends Error {
  constructor(keyId: string) {
    super(`sealing key ${keyId} does not exist or was destroyed`);
    this.name = 'SealingKeyMissing';
  }
}

const opened = (key: Uint8Array, box: string, context: string): string | null =>
  decrypt(key, Buffer.from(box, 'base64url'), context)?.toString() ?? null;

/**
 * Sealing over the key table `engine.sealing_keys`. Each key is random and stored wrapped by a key derived (HKDF-SHA256)
 * from the 32-byte master key; unwrapped keys are not kept, so a key destroyed by any process is gone for all of them.
 */
export const createSealing = ({ pool, masterKey }: { pool: Pool; masterKey: Uint8Array }): Sealing => {
  if (masterKey.length !== KEY_BYTES) throw new RangeError('the master key must have 32 bytes');
  const wrappingKey = new Uint8Array(hkdfSync('sha256', masterKey, '', 'aivillage-sealing-v1', KEY_BYTES));

  const load = async (keyId: string): Promise<Uint8Array | null> => {
    const { rows } = await pool.query<{ wrapped: Buffer | null }>({
      name: 'sealing-key',
      text: 'select wrapped from engine.sealing_keys where key_id = $1',
      values: [keyId],
    });
    const wrapped = rows[0]?.wrapped;
    if (!wrapped) return null;
    const key = decrypt(wrappingKey, wrapped, keyId);
    if (!key) throw new Error(`sealing key ${keyId} was wrapped by another master key`);
    return key;
  };

  return {
    createKey: async (keyId) => {
      const wrapped = encrypt(wrappingKey, randomBytes(KEY_BYTES), keyId);
      await pool.query(
        'insert into engine.sealing_keys (key_id, wrapped) values ($1, $2) on conflict (key_id) do nothing',
        [keyId, wrapped],
      );
    },
    seal: async (keyId, plaintext, context) => {
      const key = await load(keyId);
      if (!key) throw new SealingKeyMissing(keyId);
      return encrypt(key, Buffer.from(plaintext), context).toString('base64url');
    },
    open: async (keyId, box, context) => {
      const key = await load(keyId);
      return key && opened(key, box, context);
    },
    openAll: async (keyId, boxes) => {
      const key = await load(keyId);
      return boxes.map(({ box, context }) => key && opened(key, box, context));
    },
    destroyKey: async (keyId) => {
      await pool.query(
        `insert into engine.sealing_keys (key_id, wrapped, destroyed_at) values ($1, null, now())
         on conflict (key_id) do update set wrapped = null, destroyed_at = coalesce(engine.sealing_keys.destroyed_at, now())`,
        [keyId],
      );
    },
  };
};
