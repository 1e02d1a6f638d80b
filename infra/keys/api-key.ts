import { createHash, randomBytes } from 'node:crypto';

const API_KEY = /^(aiv_[0-9a-f]{24})\.([A-Za-z0-9_-]{43})$/;

export interface ApiKeyParts {
  /** `aiv_…`: names the key, may be shown. */
  readonly id: string;
  /** SHA-256 of the secret. The secret has full entropy, so a plain hash is enough to store. */
  readonly secretHash: Buffer;
}

/** A fresh API key `<prefix>_<id>.<secret>`: 96 random bits name it, 256 prove it. */
export const newApiKey = (): string =>
  `aiv_${randomBytes(12).toString('hex')}.${randomBytes(32).toString('base64url')}`;

/** The parts of an API key, or null when `text` is not of its form. */
export const parseApiKey = (text: string): ApiKeyParts | null => {
  const [, id, secret] = API_KEY.exec(text) ?? [];
  return id && secret ? { id, secretHash: createHash('sha256').update(secret).digest() } : null;
};
