import type { Micro } from '../../domain/money.ts';

/** One thing that is not as the log says. */
export interface Problem {
  readonly check: 'chain' | 'replay' | 'projection' | 'ledger';
  /** Stream, table or position. */
  readonly subject: string;
  readonly difference: string;
}

/** The verdict of `audit check`, over the log up to `position`. */
export interface AuditReport {
  /** Position behind which the check began; 0 for the whole log. */
  readonly from: string;
  readonly events: number;
  readonly streams: number;
  readonly position: string;
  readonly chain_ok: boolean;
  readonly replay_ok: boolean;
  /** Null where they were not compared: they follow from the whole log. */
  readonly projections_ok: boolean | null;
  readonly ledger_sum_micro: Micro;
  /** What providers gave back by proofs of SLA compliance, and what of that they still owe. */
  readonly sla_credits_micro: Micro;
  readonly sla_outstanding_micro: Micro;
  readonly problems: readonly Problem[];
}

/** Whether every check passed: what the exit code tells. */
export const passed = ({ problems, ledger_sum_micro }: AuditReport): boolean =>
  problems.length === 0 && ledger_sum_micro === '0';
