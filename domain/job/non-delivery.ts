import type { EnclaveFault, FaultCause } from '../enclave/events.ts';
import { type Micro, multiply, subtract, toMicro, units, ZERO } from '../money.ts';

/** What a member may fail of: as its enclave says, or its result contradicts a strict majority. */
export type NonDelivery = EnclaveFault | 'deviation';

/** Share of the deposit that each kind of non-delivery costs, percent (settled 39). */
export const FORFEIT_PERCENT: Readonly<Record<NonDelivery, number>> = {
  declared: 10,
  'no-show': 25,
  lost: 25,
  refusal: 50,
  attestation: 50,
  deviation: 100,
  stopped: 0,
};

/**
 * What of its deposit a member loses: nothing where engine, submitter or module was the cause (settled 40). Rounded up,
 * as every charge.
 */
export const forfeitOf = (deposit: Micro, kind: NonDelivery, cause: FaultCause = 'node'): Micro => {
  if (cause !== 'node') return ZERO;
  return toMicro((units(multiply(deposit, FORFEIT_PERCENT[kind])) + 99n) / 100n);
};

export interface Compensation {
  /** To the submitter, on top of its refund. */
  readonly submitter: Micro;
  /** To the members that delivered. */
  readonly members: readonly {
    readonly providerId: string;
    readonly owner: string;
    readonly amount: Micro;
  }[];
}

/**
 * Shares what was forfeited in a job: half goes to the submitter, half to the members that delivered, in equal parts
 * (settled 39). What cannot be divided, and everything where nobody delivered, is the submitter's.
 */
export const compensate = (
  forfeited: Micro,
  delivered: readonly { readonly providerId: string; readonly owner: string }[],
): Compensation => {
  if (delivered.length === 0) return { submitter: forfeited, members: [] };
  const amount = toMicro(units(forfeited) / 2n / BigInt(delivered.length));
  return {
    submitter: subtract(forfeited, multiply(amount, delivered.length)),
    members: delivered.map(({ providerId, owner }) => ({ providerId, owner, amount })),
  };
};

/** Faults by which a node that was asked to replace another says no, or nothing. */
const DECLINING: ReadonlySet<EnclaveFault> = new Set(['declared', 'refusal', 'no-show', 'lost']);

/**
 * Whether a failure is that of a standby which was never bound: it holds no deposit, and had not launched. Declining, or
 * being busy, is free and no evidence (settled 38). Since machine version 3 it is asked before, and bound.
 */
export const isDeclined = (
  fault: EnclaveFault,
  member: { readonly attested: boolean; readonly hasDeposit: boolean },
): boolean => !member.hasDeposit && !member.attested && DECLINING.has(fault);
