/** Authenticated encryption under a named key that lives in the key table, never in events (settled 12). */
export interface Sealing {
  /** Creates the key `keyId` if it is missing; idempotent. */
  createKey(keyId: string): Promise<void>;
  /** AES-256-GCM: base64url(nonce ‖ ciphertext ‖ tag). `context` is authenticated, not stored. */
  seal(keyId: string, plaintext: string, context: string): Promise<string>;
  /** The plaintext, or null when the key was destroyed or the box does not belong to `context`. */
  open(keyId: string, box: string, context: string): Promise<string | null>;
  /** Opens many boxes of one key; null where a box does not belong to its context, everywhere when the key is gone. */
  openAll(
    keyId: string,
    boxes: readonly { readonly box: string; readonly context: string }[],
  ): Promise<readonly (string | null)[]>;
  /** Forgets the key: every box under it is unreadable from then on. */
  destroyKey(keyId: string): Promise<void>;
}
