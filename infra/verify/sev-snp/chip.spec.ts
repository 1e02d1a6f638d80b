import { describe, expect, it } from 'vitest';
import type { Certificate } from '../x509/certificate.ts';
import { CHIP_ID_OID, chipMatches, securityVersionOid, tcbMatches } from './chip.ts';
import type { SnpReport } from './report.ts';

const integer = (value: number) => Uint8Array.of(0x02, 0x01, value);
const certificate = (extensions: readonly (readonly [string, Uint8Array])[]) =>
  ({ extensions: new Map(extensions) }) as unknown as Certificate;
const report = (fields: { tcb?: number[]; chipId?: number[] }) =>
  ({
    reportedTcb: Uint8Array.from(fields.tcb ?? []),
    chipId: Uint8Array.from({ length: 64 }, (_, index) => fields.chipId?.[index] ?? 0),
  }) as unknown as SnpReport;

describe('chip binding', () => {
  it('reads the security versions where each generation keeps them', () => {
    const milan = certificate(
      [1, 2, 3, 8].map((component) => [securityVersionOid(component), integer(component * 10)]),
    );
    expect(tcbMatches(report({ tcb: [10, 20, 0, 0, 0, 0, 30, 80] }), milan, 'milan')).toBe(true);
    expect(tcbMatches(report({ tcb: [10, 20, 0, 0, 0, 0, 31, 80] }), milan, 'milan')).toBe(false);
    expect(tcbMatches(report({ tcb: [10, 20, 0, 0, 0, 0, 30, 80] }), milan, 'turin')).toBe(false);
    const turin = certificate(
      [1, 2, 3, 8, 9].map((component) => [securityVersionOid(component), integer(component)]),
    );
    expect(tcbMatches(report({ tcb: [9, 1, 2, 3, 0, 0, 0, 8] }), turin, 'turin')).toBe(true);
  });

  it('takes an id of 64 bytes or of 8 with zeros behind it, and no other', () => {
    const chip = (...bytes: number[]) => certificate([[CHIP_ID_OID, Uint8Array.from(bytes)]]);
    const short = [1, 2, 3, 4, 5, 6, 7, 8];
    expect(chipMatches(report({ chipId: short }), chip(...short))).toBe(true);
    expect(chipMatches(report({ chipId: [...short, 1] }), chip(...short))).toBe(false);
    expect(chipMatches(report({ chipId: short }), chip(...short, ...new Array<number>(56).fill(0)))).toBe(
      true,
    );
    expect(chipMatches(report({}), chip())).toBe(false);
    expect(chipMatches(report({}), certificate([]))).toBe(false);
  });
});
