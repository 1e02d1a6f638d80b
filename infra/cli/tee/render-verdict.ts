import type { AttestationFormat, AttestationVerdict } from '../../verify/index.ts';
import { columns } from '../render/text.ts';

const VERIFIED = { true: 'verified', false: 'NOT verified' } as const;
const ACCEPTABLE = { true: 'acceptable', false: 'NOT acceptable' } as const;

const tcbLines = ({ tcb }: AttestationVerdict): string[] =>
  tcb ? [`TCB        ${[tcb.status, ...tcb.advisories].join(' ')}`] : [];

/** What a person reads: the two answers, the label, and every step with its code. */
export const verdictLines = (format: AttestationFormat, verdict: AttestationVerdict): string[] => {
  const { verified, acceptable, platform, reasons } = verdict;
  return [
    `Evidence ${format}: ${VERIFIED[`${verified}`]}, ${ACCEPTABLE[`${acceptable}`]}`,
    // Nothing vouches for the label of what is not genuine.
    `Platform   ${verified ? platform : 'unknown'}`,
    ...tcbLines(verdict),
    'Steps',
    ...columns(reasons.map(({ step, ok, code }) => [ok ? 'ok' : 'refused', step, code])).map(
      (line) => `  ${line}`,
    ),
  ];
};
