import { equalBytes } from '../bytes.ts';
import { derSmallInteger } from '../der.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { SnpReport } from './report.ts';

/** Arc of AMD's VCEK extensions (VCEK Certificate and KDS Interface Specification, 57230). */
const AMD = '1.3.6.1.4.1.3704.1';
export const CHIP_ID_OID = `${AMD}.4`;
export const securityVersionOid = (component: number): string => `${AMD}.3.${component}`;

/** Component numbers of the security version extensions. */
const COMPONENT = { bootLoader: 1, tee: 2, snp: 3, microcode: 8, fmc: 9 } as const;

/** Which byte of the reported TCB holds which component. Turin moved them and added the FMC. */
export const TCB_LAYOUTS = {
  milan: [
    [0, COMPONENT.bootLoader],
    [1, COMPONENT.tee],
    [6, COMPONENT.snp],
    [7, COMPONENT.microcode],
  ],
  turin: [
    [0, COMPONENT.fmc],
    [1, COMPONENT.bootLoader],
    [2, COMPONENT.tee],
    [3, COMPONENT.snp],
    [7, COMPONENT.microcode],
  ],
} as const;
export type TcbLayout = keyof typeof TCB_LAYOUTS;

/** Security versions by component, 0 to 255 each. */
export type SecurityVersions = Readonly<Record<keyof typeof COMPONENT, number>>;

/** Shortest chip id in a certificate: Turin's; older chips have 64 bytes. The report pads with zeros to 64. */
const SHORT_CHIP_ID = 8;

/** Whether the certificate was issued to the chip that the report names. */
export const chipMatches = (report: SnpReport, vcek: Certificate): boolean => {
  const id = vcek.extensions.get(CHIP_ID_OID);
  if (!id || (id.length !== SHORT_CHIP_ID && id.length !== report.chipId.length)) return false;
  const padded = new Uint8Array(report.chipId.length);
  padded.set(id);
  return equalBytes(padded, report.chipId);
};

/** Whether the key was derived at the security versions that the report claims. @throws MalformedError */
export const tcbMatches = (report: SnpReport, vcek: Certificate, layout: TcbLayout): boolean =>
  TCB_LAYOUTS[layout].every(([byte, component]) => {
    const value = vcek.extensions.get(securityVersionOid(component));
    return value !== undefined && derSmallInteger(value) === report.reportedTcb[byte];
  });

/** Whether every component that `minimum` names is reported at least that new. */
export const tcbReaches = (
  report: SnpReport,
  minimum: Partial<SecurityVersions>,
  layout: TcbLayout,
): boolean =>
  Object.entries(minimum).every(([name, least]) => {
    const place = TCB_LAYOUTS[layout].find(
      ([, number]) => number === COMPONENT[name as keyof typeof COMPONENT],
    );
    // A component that this generation lacks cannot be new enough.
    return place !== undefined && (report.reportedTcb[place[0]] ?? 0) >= least;
  });
