import type { Shape } from '../../domain/predicate/ir.ts';
import type { Transcript } from '../../domain/predicate/transcript.ts';
import type { Table } from '../table.ts';

export interface PredicateRow {
  readonly stream: string;
  readonly circuitId: string;
  readonly shape: Shape;
  readonly state: 'compiling' | 'setting-up' | 'ready' | 'failed';
  /** Estimated, then counted by the compiler. */
  readonly constraints: number;
  readonly publicInputs: number;
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly compiledAt: string | null;
  readonly readyAt: string | null;
  readonly keyHash: string | null;
  readonly verificationKey: Readonly<Record<string, unknown>> | null;
  readonly transcript: Transcript | null;
  readonly failure: string | null;
  readonly position: string;
}

export const predicatesTable: Table<PredicateRow> = {
  name: 'predicates',
  key: ['stream'],
  columns: {
    stream: 'text',
    circuitId: 'text',
    shape: 'json',
    state: 'text',
    constraints: 'integer',
    publicInputs: 'integer',
    requestedBy: 'text',
    requestedAt: 'instant',
    compiledAt: 'instant',
    readyAt: 'instant',
    keyHash: 'text',
    verificationKey: 'json',
    transcript: 'json',
    failure: 'text',
    position: 'position',
  },
  indexes: [['circuitId']],
};
