import { type Command, InvalidArgumentError, Option } from 'commander';
import { splitCertificates } from '../../verify/bytes.ts';
import { TCB_STATUSES } from '../../verify/dcap/tcb-status.ts';
import { MalformedError } from '../../verify/der.ts';
import {
  ATTESTATION_FORMATS,
  type AttestationFormat,
  type AttestationInput,
  type AttestationPolicy,
  type TcbStatus,
  type TrustedRoot,
  VENDOR_ROOTS,
  verifyAttestation,
} from '../../verify/index.ts';
import { parseCertificate } from '../../verify/x509/certificate.ts';
import { keyHashOf } from '../../verify/x509/chain.ts';
import type { CliContext } from '../context.ts';
import { EXIT, refuse } from '../failure.ts';
import { readInput } from '../files.ts';
import { collect, hexBytes } from '../options.ts';
import { collateralFrom } from '../tee/read-evidence.ts';
import { verdictLines } from '../tee/render-verdict.ts';
import { writeLines } from '../write.ts';

interface Options {
  readonly format: AttestationFormat;
  readonly evidence: string;
  readonly collateral: readonly string[];
  readonly now?: string;
  readonly nonce?: string;
  readonly key?: string;
  readonly reportData?: string;
  readonly measurement?: string;
  readonly signer?: readonly string[];
  readonly minimumSvn?: number;
  readonly acceptTcb?: readonly TcbStatus[];
  readonly acceptAdvisory?: readonly string[];
  readonly allowDebug?: true;
  readonly simulatedRoot?: readonly string[];
  readonly json?: true;
}

const hexList = (value: string, before?: readonly string[]): readonly string[] =>
  collect(hexBytes(value), before);

const instant = (value: string): string => {
  if (Number.isNaN(Date.parse(value)))
    throw new InvalidArgumentError('It must be an instant, as RFC 3339 has it.');
  return value;
};

const svn = (value: string): number => {
  if (!/^\d{1,5}$/.test(value)) throw new InvalidArgumentError('It must be a whole number below 100,000.');
  return Number(value);
};

const rootOf = (file: string, bytes: Uint8Array): TrustedRoot => {
  try {
    const certificate = parseCertificate(splitCertificates(bytes, 1)[0] as Uint8Array);
    return { name: file, platform: 'simulated', keyHash: keyHashOf(certificate.publicKey) };
  } catch (error) {
    if (error instanceof MalformedError) throw refuse(`--simulated-root ${file}: not a certificate`);
    throw error;
  }
};

const policyOf = (options: Options, simulated: readonly TrustedRoot[]): AttestationPolicy => ({
  ...(simulated.length > 0 && { roots: [...VENDOR_ROOTS, ...simulated], allowSimulated: true }),
  ...(options.allowDebug && { allowDebug: true }),
  ...(options.signer && { signers: options.signer }),
  ...(options.minimumSvn !== undefined && { minimumSvn: options.minimumSvn }),
  ...(options.acceptTcb && { tcbStatuses: options.acceptTcb }),
  ...(options.acceptAdvisory && { advisories: options.acceptAdvisory }),
});

const verify = async (options: Options, { stdin, stdout, exit }: CliContext): Promise<void> => {
  const read = (option: string, file: string) => readInput(option, file, stdin);
  const files: Uint8Array[] = [];
  for (const file of options.collateral) files.push(await read('--collateral', file));
  const simulated: TrustedRoot[] = [];
  for (const file of options.simulatedRoot ?? [])
    simulated.push(rootOf(file, await read('--simulated-root', file)));
  const { format, nonce, key, reportData, measurement } = options;
  const verdict = await verifyAttestation({
    format,
    evidence: await read('--evidence', options.evidence),
    collateral: collateralFrom(format, files),
    now: options.now ?? new Date(),
    policy: policyOf(options, simulated),
    expected: { nonce, key, reportData, measurement },
  } as AttestationInput);
  await writeLines(
    stdout,
    options.json ? [JSON.stringify({ format, ...verdict })] : verdictLines(format, verdict),
  );
  exit(verdict.acceptable ? EXIT.ok : EXIT.failed);
};

/** Verification of attestation evidence from files alone: no engine, no network. */
export const addTeeVerify = (tee: Command, context: CliContext): void => {
  tee
    .command('verify')
    .description('verify evidence from files; exits with 0 when it is acceptable, with 1 when it is not')
    .addOption(
      new Option('--format <format>', 'what the evidence is')
        .choices(ATTESTATION_FORMATS)
        .makeOptionMandatory(),
    )
    .requiredOption('--evidence <file>', 'report, quote or token; - for standard input')
    .requiredOption(
      '--collateral <file>',
      'sev-snp: certificates, the chip’s first (may be given again); sgx, tdx: JSON; psa, cca: public key',
      collect,
    )
    .option('--now <instant>', 'verify as of this time instead of now', instant)
    .option('--nonce <hex>', 'the nonce that it must be bound to', hexBytes)
    .option('--key <hex>', 'the enclave key that it must be bound to, with the nonce', hexBytes)
    .option('--report-data <hex>', 'the data that it must be bound to, instead of nonce and key', hexBytes)
    .option('--measurement <hex>', 'what it must measure', hexBytes)
    .option('--signer <hex>', 'accepted signer of the enclave (may be given again)', hexList)
    .option('--minimum-svn <number>', 'lowest accepted security version of an SGX enclave', svn)
    .addOption(
      new Option('--accept-tcb <status...>', 'accepted states of the platform beside UpToDate').choices(
        TCB_STATUSES.filter((status) => status !== 'Revoked'),
      ),
    )
    .option('--accept-advisory <id>', 'accepted Intel advisory (may be given again)', collect)
    .option('--allow-debug', 'accept what its host may debug')
    .option(
      '--simulated-root <file>',
      'certificate of a simulated root to trust as such (may be given again)',
      collect,
    )
    .option('--json', 'print one JSON object and nothing else')
    .action((options: Options) => verify(options, context));
};
