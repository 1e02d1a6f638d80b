import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { StopSignal } from './process.ts';
import { sendSignal, startTimeOf } from './process-identity.ts';

const processSchema = z.object({
  name: z.string(),
  pid: z.number().int().positive(),
  startTime: z.string(),
  stopSignal: z.enum(['SIGTERM', 'SIGINT']),
});
const recordSchema = z.object({ owner: processSchema, children: z.array(processSchema) });

type RecordedProcess = z.infer<typeof processSchema>;
type ProcessRecord = z.infer<typeof recordSchema>;

/** The processes one supervisor runs, on disk, so that its successor can find them when it was killed. */
export interface ProcessRegistry {
  add(name: string, pid: number, stopSignal: StopSignal): void;
  remove(pid: number): void;
}

const POLL_MS = 50;
const STOP_TIMEOUT_MS = 20_000;

/**
 * Takes over `file`: refuses while its owner lives, stops the orphans of a dead one, in reverse order of their start.
 * A process counts as the recorded one only if its start time agrees, too, so a reused id is never signalled.
 * @throws when another supervisor runs on the same file.
 */
export const openProcessRegistry = async (
  file: string,
  report: (line: string) => void,
): Promise<ProcessRegistry> => {
  const previous = readRecord(file);
  if (previous !== null) {
    const { owner, children } = previous;
    if (owner.pid !== process.pid && isAlive(owner)) {
      throw new Error(`AIVillage is already running on this data directory (process ${owner.pid})`);
    }
    for (const child of children.reverse()) await stopOrphan(child, report);
  }
  const owner = identify('supervisor', process.pid, 'SIGTERM');
  const children = new Map<number, RecordedProcess>();
  const save = () => writeRecord(file, { owner, children: [...children.values()] });
  save();
  return {
    add: (name, pid, stopSignal) => {
      children.set(pid, identify(name, pid, stopSignal));
      save();
    },
    remove: (pid) => {
      children.delete(pid);
      save();
    },
  };
};

const identify = (name: string, pid: number, stopSignal: StopSignal): RecordedProcess => ({
  name,
  pid,
  // A child that has already died has no start time, and no process can match the empty one.
  startTime: startTimeOf(pid) ?? '',
  stopSignal,
});

const isAlive = ({ pid, startTime }: RecordedProcess): boolean => startTimeOf(pid) === startTime;

const stopOrphan = async (child: RecordedProcess, report: (line: string) => void): Promise<void> => {
  if (!isAlive(child)) return;
  report(`${child.name} (process ${child.pid}) was left over from an earlier run: stopping it`);
  sendSignal(child.pid, child.stopSignal);
  const deadline = performance.now() + STOP_TIMEOUT_MS;
  while (isAlive(child)) {
    if (performance.now() > deadline) sendSignal(child.pid, 'SIGKILL');
    await delay(POLL_MS);
  }
  sendSignal(-child.pid, 'SIGKILL');
};

const readRecord = (file: string): ProcessRecord | null => {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Error(`${file} is damaged: stop the processes of this data directory and delete it`, {
      cause: error,
    });
  }
};

const writeRecord = (file: string, record: ProcessRecord): void => {
  mkdirSync(dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, JSON.stringify(record), { mode: 0o600 });
  renameSync(partial, file);
};
