import type { AppendResult, EventStore } from '../../../domain/ports/event-store.ts';

/** What becomes of one write: nothing special, or one of the ways in which an answer is lost. */
export const FAULTS = [
  'none',
  // The process dies with the request on its way.
  'dies-before',
  // It is committed, and the process dies before it hears of it.
  'dies-after',
  // The server is away for longer than anybody waits.
  'hangs-before',
  // It is committed, and the answer comes too late to be waited for.
  'hangs-after',
  // The request arrives twice; the second answer is the one that is heard.
  'twice',
] as const;
export type Fault = (typeof FAULTS)[number];

/** The process that asked is gone: nobody hears anything any more. */
export class ProcessDied extends Error {
  override readonly name = 'ProcessDied';
}

/** The server does not answer; the process lives on. */
export class ServerAway extends Error {
  override readonly name = 'ServerAway';
}

export interface FaultPlan {
  /** What becomes of the next write. */
  readonly fault: () => Fault;
  /** Turns that the next answer takes, so that callers overtake each other. */
  readonly turns: () => number;
}

export interface FaultyStore {
  readonly store: EventStore;
  /** True once the process that holds this store has died. */
  readonly isDead: () => boolean;
}

/** A store as one process sees it. When the process dies, every call of it fails, those under way included. */
export const faultyStore = (inner: EventStore, { fault, turns }: FaultPlan): FaultyStore => {
  let isDead = false;

  const alive = (): void => {
    if (isDead) throw new ProcessDied('the process is dead');
  };

  const die = (): never => {
    isDead = true;
    throw new ProcessDied('the process has just died');
  };

  const pass = async (): Promise<void> => {
    for (let turn = turns(); turn > 0; turn--) await Promise.resolve();
    alive();
  };

  /** Committed or not, the caller learns of it only while it lives. */
  const write = async (append: () => Promise<AppendResult>): Promise<AppendResult> => {
    await pass();
    const planned = fault();
    if (planned === 'dies-before') die();
    if (planned === 'hangs-before') throw new ServerAway('no answer; nothing was written');
    const first = await append();
    const answer = planned === 'twice' ? await append() : first;
    if (planned === 'dies-after') die();
    await pass();
    if (planned === 'hangs-after') throw new ServerAway('no answer; it was written');
    return answer;
  };

  const read =
    <Args extends readonly unknown[], Value>(call: (...args: Args) => Promise<Value>) =>
    async (...args: Args): Promise<Value> => {
      await pass();
      const value = await call(...args);
      await pass();
      return value;
    };

  return {
    isDead: () => isDead,
    store: {
      ...inner,
      append: (request, origin) => write(() => inner.append(request, origin)),
      appendMany: (requests, origin) => write(() => inner.appendMany(requests, origin)),
      readStream: read(inner.readStream),
      readStreams: read(inner.readStreams),
      findCommands: read(inner.findCommands),
      loadSnapshot: read(inner.loadSnapshot),
      loadSnapshots: read(inner.loadSnapshots),
      saveSnapshot: read(inner.saveSnapshot),
    },
  };
};
