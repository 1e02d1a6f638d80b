import { equalBytes } from '../bytes.ts';
import { MalformedError } from '../der.ts';
import { type JsonObject, parseJsonObject } from './json.ts';
import { type Level, levelReached, levelsOf } from './levels.ts';
import type { PckFacts } from './pck.ts';
import { type Quote, TD_REPORT } from './quote.ts';
import { converge, type TcbVerdict } from './tcb-status.ts';

const VERSION = 3;
const COMPONENTS = 16;
const MEASUREMENT = 48;

interface PlatformLeast {
  readonly sgx: readonly number[];
  /** Absent in an SGX table. */
  readonly tdx: readonly number[] | null;
  readonly pceSvn: number;
}

/** Which TDX modules are genuine: who signed them and with which attributes. */
interface ModuleIdentity {
  /** `TDX_03` for the module's major version 3; empty for the identity of version 0. */
  readonly id: string;
  readonly mrSigner: Uint8Array;
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
  readonly levels: readonly Level<number>[];
}

/** Intel's TCB info (PCS API version 4): the TCB table of one platform family. */
export interface TcbInfo {
  readonly tee: Quote['tee'];
  readonly issueDate: number;
  readonly nextUpdate: number;
  readonly evaluation: number;
  readonly fmspc: Uint8Array;
  readonly pceId: Uint8Array;
  readonly levels: readonly Level<PlatformLeast>[];
  readonly modules: readonly ModuleIdentity[];
}

const componentsOf = (tcb: JsonObject, name: string): number[] => {
  const found = tcb.list(name).map((component) => component.whole('svn'));
  if (found.length !== COMPONENTS) throw new MalformedError(`${name} has not ${COMPONENTS} components`);
  return found;
};

const moduleOf = (object: JsonObject, id: string, levels: readonly Level<number>[]): ModuleIdentity => ({
  id,
  mrSigner: object.hex('mrsigner', MEASUREMENT),
  attributes: object.hex('attributes', 8),
  attributesMask: object.hex('attributesMask', 8),
  levels,
});

const modulesOf = (info: JsonObject): ModuleIdentity[] => [
  moduleOf(info.object('tdxModule'), '', []),
  ...info.optionalList('tdxModuleIdentities').map((each) =>
    moduleOf(
      each,
      each.text('id'),
      levelsOf(each, (tcb) => tcb.whole('isvsvn')),
    ),
  ),
];

/** @throws MalformedError on anything but TCB info of version 3. */
export const parseTcbInfo = (text: string): TcbInfo => {
  const info = parseJsonObject(text);
  const id = info.text('id');
  if ((id !== 'SGX' && id !== 'TDX') || info.whole('version') !== VERSION || info.whole('tcbType') !== 0)
    throw new MalformedError('TCB info of an unknown kind');
  const tee = id === 'SGX' ? 'sgx' : 'tdx';
  return {
    tee,
    issueDate: info.instant('issueDate'),
    nextUpdate: info.instant('nextUpdate'),
    evaluation: info.whole('tcbEvaluationDataNumber'),
    fmspc: info.hex('fmspc', 6),
    pceId: info.hex('pceId', 2),
    levels: levelsOf(info, (tcb) => ({
      sgx: componentsOf(tcb, 'sgxtcbcomponents'),
      tdx: tee === 'tdx' ? componentsOf(tcb, 'tdxtcbcomponents') : null,
      pceSvn: tcb.whole('pcesvn'),
    })),
    modules: tee === 'tdx' ? modulesOf(info) : [],
  };
};

/** Whether the table is about the platform that the PCK certificate names. */
export const isAbout = (info: TcbInfo, quote: Quote, { fmspc, pceId }: PckFacts): boolean =>
  info.tee === quote.tee && equalBytes(info.fmspc, fmspc) && equalBytes(info.pceId, pceId);

const reaches = (found: ArrayLike<number>, least: readonly number[], from = 0): boolean =>
  least.every((svn, index) => index < from || (found[index] ?? 0) >= svn);

/** Security versions of the TDX module and its loader. */
const teeTcbSvn = (report: Uint8Array): Uint8Array =>
  report.subarray(TD_REPORT.teeTcbSvn, TD_REPORT.teeTcbSvn + COMPONENTS);

/** Major version of the TDX module: byte 1 of TEE_TCB_SVN. */
const moduleVersion = (report: Uint8Array): number => teeTcbSvn(report)[1] ?? 0;

const moduleIdentity = ({ modules }: TcbInfo, report: Uint8Array): ModuleIdentity | undefined => {
  const version = moduleVersion(report);
  const id = version === 0 ? '' : `TDX_${version.toString(16).padStart(2, '0').toUpperCase()}`;
  return modules.find((each) => each.id === id);
};

/** Whether the TDX module under the guest is one of Intel's. */
export const isGenuineModule = (info: TcbInfo, { report }: Quote): boolean => {
  const identity = moduleIdentity(info, report);
  if (!identity) return false;
  const signer = report.subarray(TD_REPORT.mrSignerSeam, TD_REPORT.mrSignerSeam + MEASUREMENT);
  const attributes = report.subarray(TD_REPORT.seamAttributes, TD_REPORT.seamAttributes + 8);
  return (
    equalBytes(signer, identity.mrSigner) &&
    attributes.every(
      (byte, index) => (byte & (identity.attributesMask[index] ?? 0)) === identity.attributes[index],
    )
  );
};

/** TCB level of the module alone; a module of version 0 is judged by the platform's table. */
const moduleVerdict = (info: TcbInfo, report: Uint8Array): TcbVerdict | null => {
  if (moduleVersion(report) === 0) return { status: 'UpToDate', advisories: [] };
  const svn = teeTcbSvn(report)[0] ?? 0;
  return levelReached(moduleIdentity(info, report)?.levels ?? [], (least) => svn >= least);
};

/**
 * State of the platform by Intel's rules ("Get TDX TCB Info" of the PCS API): the first level whose every component is
 * reached. With a versioned TDX module, its two components (0 and 1) are judged by the module's own table instead.
 * Null when no level is reached.
 */
export const platformTcb = (info: TcbInfo, { tee, report }: Quote, pck: PckFacts): TcbVerdict | null => {
  const from = tee === 'tdx' && moduleVersion(report) > 0 ? 2 : 0;
  const platform = levelReached(
    info.levels,
    ({ sgx, tdx, pceSvn }) =>
      pck.pceSvn >= pceSvn &&
      reaches(pck.components, sgx) &&
      (tdx === null || reaches(teeTcbSvn(report), tdx, from)),
  );
  return tee === 'tdx' ? converge([platform, moduleVerdict(info, report)]) : platform;
};
