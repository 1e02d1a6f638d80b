import type { ClientBase } from 'pg';
import type { RecordedEvent } from '../domain/event.ts';

/** One PostgreSQL session: what a projection reads and writes through, inside the runner's transaction. */
export type Session = Pick<ClientBase, 'query'>;

/** Base name of a table → its qualified physical name in the build at hand. */
export type TableNames = (table: string) => string;

/**
 * A read model as a function of the log. `Rows` is what a batch changes; `Before` is what `fold` has to know of earlier
 * batches. Rows are wholly determined by events, so two builds over the same events are byte-equal. Raise `version`
 * with every change of tables or fold: the runner then builds the new one beside the old and swaps.
 */
export interface Projection<Before = unknown, Rows = unknown> {
  readonly name: string;
  readonly version: number;
  /** Exact event types; other events only move the checkpoint. */
  readonly handles: readonly string[];
  /** Base names of its tables; each is served by the view `fog.<name>`. */
  readonly tables: readonly string[];
  /** Statements that create the tables of one build. */
  ddl(names: TableNames): string;
  /**
   * What waits when this event cannot be taken: events of one key are folded in their order, and nothing that an event
   * writes depends on events of another key. Never throws.
   */
  keyOf(event: RecordedEvent): string;
  /** Reads what `fold` needs of rows written before: at most one statement per table. */
  load(session: Session, batch: readonly RecordedEvent[], names: TableNames): Promise<Before>;
  /**
   * Pure. Throws on an event that cannot follow what is known or makes a row that no table holds: its key is then parked.
   * Whether it throws is a matter of the key's events alone, wherever batches begin and end.
   */
  fold(batch: readonly RecordedEvent[], before: Before): Rows;
  /** Writes `rows`: one statement per table. */
  apply(session: Session, rows: Rows, names: TableNames): Promise<void>;
  /**
   * Deletes what the events of `key` have written, so that they can be told anew by themselves. Absent where they are
   * added to what others have written: then a retry builds the whole model anew.
   */
  forget?(session: Session, key: string, names: TableNames): Promise<void>;
}
