import { readFileSync, statSync } from 'node:fs';
import { parseKeys } from './key-file.ts';
import { createSigner, type Signer } from './signer.ts';

/** The keys of a file that may change: every process that reads it signs and verifies by the same ones. */
export interface OpenSigner extends Signer {
  /** Takes over what the file holds now, if that has changed. */
  reload(): void;
  close(): void;
}

const LOOK_MS = 500;

/**
 * Follows the key file at `path`. It is looked at twice a second, and at once when a key is met that is not known: a
 * process may have read it a moment before another. Where replicas get their copies at different times, a new key has to
 * be in all of them, in second place, before it is moved to the first.
 * @param onChange told when other keys are in force
 * @throws when the file is missing or no key file; later on that is reported, and the keys stay as they are
 */
export const openSigner = (
  path: string,
  {
    onFault,
    onChange = () => undefined,
  }: { onFault: (message: string) => void; onChange?: (() => void) | undefined },
): OpenSigner => {
  const markOf = (): string => {
    const { mtimeMs, ino, size } = statSync(path);
    return `${mtimeMs} ${ino} ${size}`;
  };
  const read = (): Signer => createSigner(parseKeys(path, readFileSync(path, 'utf8')));

  let mark = markOf();
  let signer = read();
  let said: string | null = null;

  const reload = (): void => {
    try {
      const seen = markOf();
      if (seen === mark) return;
      const next = read();
      mark = seen;
      said = null;
      if (JSON.stringify(next.jwks()) === JSON.stringify(signer.jwks())) return;
      signer = next;
      onChange();
    } catch (error) {
      const { message } = error as Error;
      if (message !== said) onFault(message);
      said = message;
    }
  };
  // A timer, and not whoever signs: key and key id are asked for one after the other.
  const timer = setInterval(reload, LOOK_MS);
  timer.unref();

  const publicKey: Signer['publicKey'] = (kid) => {
    const known = signer.publicKey(kid);
    if (known !== null) return known;
    reload();
    return signer.publicKey(kid);
  };

  return {
    get kid() {
      return signer.kid;
    },
    get privateKey() {
      return signer.privateKey;
    },
    publicKey,
    jwks: () => signer.jwks(),
    sign: (domain, message) => signer.sign(domain, message),
    verify: (domain, message, signature) => {
      publicKey(signature.slice(0, Math.max(signature.indexOf('.'), 0)));
      return signer.verify(domain, message, signature);
    },
    reload,
    close: () => clearInterval(timer),
  };
};
