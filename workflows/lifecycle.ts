import type { ActivityOptions } from '@temporalio/workflow';
import type { DomainEvent } from '../domain/event.ts';
import type { LifecycleVersion } from '../domain/lifecycle.ts';
import type { Command, CommandMeta, Report } from '../domain/ports/lifecycles.ts';
import { LIFECYCLES, type LifecycleFamily, type LifecycleName } from '../domain/registry.ts';
import type { AskedEffect } from '../domain/staging.ts';
import type { Answer } from './answers.ts';

/** An effect that an activity runs; it answers with domain events. */
export interface ActivityEffect<Input> {
  readonly kind: 'activity';
  /**
   * Short work that only reads and may run twice. It runs right behind the append that asks for it (activities/journal.ts),
   * else as a local activity: a third of the cost of another (stack.md 2.3).
   */
  readonly local: boolean;
  /** Mostly done in a second, and may run twice: since this host version it is tried right behind the append that asks for it. */
  readonly prompt?: number;
  readonly options: ActivityOptions;
  /** The events that say it failed for good, after all retries. */
  readonly failed: (input: Input, message: string) => readonly DomainEvent[];
}

export interface ChildStart {
  readonly aggregate: string;
  readonly stream: string;
  readonly command: Command;
}

/** An effect that starts child lifecycles; they answer by reports. Starting one twice is starting it once. */
export interface ChildrenEffect<Input> {
  readonly kind: 'children';
  readonly start: (input: Input) => readonly ChildStart[];
}

export type Effect<Input = never> = ActivityEffect<Input> | ChildrenEffect<Input>;

/** What one version of a machine does about its effects and its children. Its streams keep it, whatever comes later. */
export interface Policies {
  readonly effects: Readonly<Record<string, Effect>>;
  /** What the parent is told. */
  readonly report?: (context: never, state: string) => unknown;
  /** Domain events that a child's report means here; those the state refuses are stale and dropped. */
  readonly onReport?: (report: Report, context: never) => readonly DomainEvent[];
}

/** Everything the durable host needs to run one aggregate, in every version that a stream may have begun with. */
export interface Lifecycle {
  readonly aggregate: LifecycleName;
  readonly family: LifecycleFamily;
  readonly policies: Readonly<Record<number, Policies>>;
}

type VersionOf<Name extends LifecycleName> = keyof (typeof LIFECYCLES)[Name]['versions'];

/** A registered aggregate with the policies of each of its machine versions: the compiler asks for all of them. */
export const lifecycleOf = <Name extends LifecycleName>(
  aggregate: Name,
  policies: { readonly [Version in VersionOf<Name>]: Policies },
): Lifecycle => ({ aggregate, family: LIFECYCLES[aggregate], policies });

/** A lifecycle as the streams of one machine version run it. */
export interface LifecycleAt extends Policies {
  readonly aggregate: LifecycleName;
  readonly version: LifecycleVersion;
}

/** @throws Error for a version that this build does not know: its streams cannot run here. */
export const lifecycleAt = ({ aggregate, family, policies }: Lifecycle, version: number): LifecycleAt => {
  const machine = family.versions[version];
  const found = policies[version];
  if (!machine || !found) throw new Error(`${aggregate} has no machine version ${version}`);
  return { aggregate, version: machine, ...found };
};

/** A deadline that is armed: carried through continue-as-new and re-armed from `dueAt`. */
export interface ArmedTimer {
  readonly id: string;
  readonly dueAt: number;
}

export interface RunningEffect extends AskedEffect {
  /** The event that asked for it; the newest one when absent. */
  readonly cause?: string;
}

/** What is known of the reports of children, as the next run of the workflow takes it over. */
export interface CarriedReports {
  /** Newest revision acted upon, by child. */
  readonly heard: readonly (readonly [string, number])[];
  readonly early: readonly Report[];
}

/** State handed to the next run of the same workflow. */
export interface Carried {
  readonly snapshot: unknown;
  readonly revision: number;
  readonly timers: readonly ArmedTimer[];
  readonly effects: readonly RunningEffect[];
  readonly answered: readonly (readonly [string, Answer])[];
  readonly lineage: Pick<CommandMeta, 'correlationId' | 'traceparent'>;
  /** Position of the newest step (decimal). */
  readonly position?: string;
  /** State that was entered last, so that nobody is told of it twice. */
  readonly shown?: string;
  readonly reports?: CarriedReports;
  /** Answers of running effects that are in the log already. */
  readonly takenOver?: readonly string[];
  /** Ids of the commands that it was told. */
  readonly told?: readonly string[];
}

export interface LifecycleInput {
  readonly stream: string;
  /** Machine version; the starter names the current one, so that a replay meets the version it ran with. */
  readonly version: number;
  readonly open?: { readonly command: Command; readonly meta: CommandMeta };
  /** Goes on from what the log holds of the stream: whoever ran it before is gone. */
  readonly recover?: true;
  /** Stream of the lifecycle to report to. */
  readonly parent?: string;
  readonly carried?: Carried;
  /** Everything that reaches this run is sealed. Only runs that were recorded before there were seals have it not. */
  readonly sealed?: true;
  /** HOST_VERSION of whoever started it; 1 when absent. */
  readonly host?: number;
}

export interface LifecycleEnd {
  readonly revision: number;
  readonly version: number;
  readonly value: string;
}
