import { createHash, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { epochMs } from '../../../domain/time.ts';
import type { TrustedRoot } from '../../verify/roots.ts';
import { CHIP_ID_OID, securityVersionOid } from '../../verify/sev-snp/chip.ts';
import { issueCertificate } from './certificate.ts';
import { ia5, integer } from './der.ts';

/** An own authority in AMD's two-step form. The ARK's private key is gone once it has signed the ASK. */
export interface SimulatedRoot {
  /** DER. */
  readonly ark: Uint8Array;
  readonly ask: Uint8Array;
  /** P-384; issues chips. */
  readonly askKey: KeyObject;
}

/** Security versions burnt into a chip certificate, in AMD's words for the Milan layout; 0 to 255 each. */
export interface SecurityVersions {
  readonly bootLoader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
}

/** A simulated chip: its report-signing key and the certificates that vouch for it. */
export interface SimulatedChip {
  /** 64 bytes. */
  readonly chipId: Uint8Array;
  readonly versions: SecurityVersions;
  readonly key: KeyObject;
  /** DER of VCEK, ASK and ARK. */
  readonly certificates: readonly [Uint8Array, Uint8Array, Uint8Array];
}

const ARK_NAME = 'ARK-SIMULATED';
const ASK_NAME = 'SEV-SIMULATED';
const VCEK_NAME = 'SEV-VCEK';

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
/** AMD's own terms. */
const ROOT_YEARS = 25;
const CHIP_YEARS = 7;

const DEFAULT_VERSIONS: SecurityVersions = { bootLoader: 3, tee: 0, snp: 8, microcode: 115 };

/** An hour of slack in front, so that a peer whose clock is behind accepts a fresh certificate. */
const term = (now: string, years: number) => ({
  notBefore: epochMs(now) - HOUR_MS,
  notAfter: epochMs(now) + years * YEAR_MS,
});

/** Creates a simulated root authority; `now` is RFC 3339. */
export const createSimulatedRoot = ({ now }: { readonly now: string }): SimulatedRoot => {
  const arkPair = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const askPair = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const issue = (subject: string, publicKey: KeyObject): Uint8Array =>
    issueCertificate({
      subject,
      issuer: ARK_NAME,
      publicKey,
      issuerKey: arkPair.privateKey,
      ...term(now, ROOT_YEARS),
      isAuthority: true,
    });
  return {
    ark: issue(ARK_NAME, arkPair.publicKey),
    ask: issue(ASK_NAME, askPair.publicKey),
    askKey: askPair.privateKey,
  };
};

/** A chip id of the right length for a node's name. */
export const chipIdFor = (name: string): Uint8Array =>
  new Uint8Array(createHash('sha512').update(`fog-sim-chip-v1\0${name}`).digest());

const small = (value: number): Uint8Array => integer(Uint8Array.of(value));

/** Issues a chip under `root`. `chipId`: 64 bytes. @throws RangeError on another length. */
export const issueChip = (
  root: SimulatedRoot,
  options: { readonly chipId: Uint8Array; readonly now: string; readonly versions?: SecurityVersions },
): SimulatedChip => {
  if (options.chipId.length !== 64) throw new RangeError('a chip id has 64 bytes');
  const versions = options.versions ?? DEFAULT_VERSIONS;
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const vcek = issueCertificate({
    subject: VCEK_NAME,
    issuer: ASK_NAME,
    publicKey: pair.publicKey,
    issuerKey: root.askKey,
    ...term(options.now, CHIP_YEARS),
    isAuthority: false,
    extensions: [
      ['1.3.6.1.4.1.3704.1.1', small(0)],
      ['1.3.6.1.4.1.3704.1.2', ia5('Simulated-B0')],
      [securityVersionOid(1), small(versions.bootLoader)],
      [securityVersionOid(2), small(versions.tee)],
      [securityVersionOid(3), small(versions.snp)],
      [securityVersionOid(8), small(versions.microcode)],
      [CHIP_ID_OID, options.chipId],
    ],
  });
  return { chipId: options.chipId, versions, key: pair.privateKey, certificates: [vcek, root.ask, root.ark] };
};

/** What a verifier that accepts this root puts into its trust store. `ark`: DER. */
export const trustedRootOf = (ark: Uint8Array): TrustedRoot => ({
  name: 'simulated',
  platform: 'simulated',
  tcbLayout: 'milan',
  keyHash: createHash('sha256')
    .update(new X509Certificate(ark).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex'),
});
