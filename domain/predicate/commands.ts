import type { DeadlineCommand } from '../decision.ts';
import type { Shape } from './ir.ts';

/** Has the circuit of a shape compiled and its key made. */
export interface RequestPredicate {
  readonly type: 'request';
  readonly circuitId: string;
  readonly shape: Shape;
  readonly constraints: number;
  readonly publicInputs: number;
}

export type PredicateCommand = RequestPredicate | DeadlineCommand;
