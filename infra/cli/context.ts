import type { Writable } from 'node:stream';
import type { EngineClient } from './client/client.ts';
import type { LogClient } from './client/log-client.ts';
import type { SubjectClient } from './client/subject-client.ts';
import type { ZkClient } from './client/zk-client.ts';

/** An engine as the commands reach it. */
export interface Engine {
  readonly client: EngineClient;
  readonly log: LogClient;
  readonly zk: ZkClient;
  readonly subjects: SubjectClient;
  /** Where keys to prove with are kept on this machine. */
  readonly zkDirectory: string;
  /** On this machine, with the embedded profile: simulated enclaves are what its jobs are for. */
  readonly isLocalStack: boolean;
}

/** What every command gets from its surroundings. */
export interface CliContext {
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Answers. */
  readonly stdout: Writable;
  /** Progress and errors. */
  readonly stderr: NodeJS.WriteStream;
  /** Reads the credentials; nothing is sent yet. */
  engine(): Promise<Engine>;
  /** Runs the audit program with these arguments on this terminal. */
  audit(args: readonly string[]): Promise<number>;
  /** Runs the recovery program on this terminal. */
  recover(): Promise<number>;
  /** Waits for `work`; on Ctrl-C rejects at once with a CliError that says what `message` gives then. */
  interruptible<T>(work: Promise<T>, message: () => string): Promise<T>;
  /** Sets the exit code of the process. */
  exit(code: number): void;
}
