import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../../infra/stack/postgres.ts';
import { startTemporal } from '../../../infra/stack/temporal.ts';
import { now } from '../open-engine.ts';
import { predicateStory } from '../stories/predicate.ts';
import { topologyStory } from '../stories/topology.ts';
import { openRecorder } from './recorder.ts';
import { CONTINUED, SCENARIOS } from './scenarios.ts';

/** History events after which a server suggests a new run: a handful of commands. */
const HISTORY_LIMIT = 40;

/**
 * Records the histories of every scenario, on servers of its own:
 * `node test/support/recording/record-all.ts [word of the scenarios' names …]`
 */
const wanted = process.argv.slice(2);
const directory = await mkdtemp(join(tmpdir(), 'aivillage-recording-'));
// As root, the server runs as another user.
await chmod(directory, 0o755);
const postgres = await startPostgres({
  directory: join(directory, 'postgres'),
  logFile: join(directory, 'postgres.log'),
  password: null,
  durable: false,
});

const answer = (events: readonly { readonly type: string }[], type: string) =>
  events.filter((event) => event.type === type).slice(-1);
const { events: circuit } = predicateStory(1, (below) => below - 1);
const { events: epoch } = topologyStory(1, () => 1);
let compilations = 0;

const others = {
  'predicate.compile': async () =>
    answer(circuit, compilations++ === 0 ? 'predicate.failed' : 'predicate.compiled'),
  'predicate.setUp': async () => answer(circuit, 'predicate.key-made'),
  'topology.commitCandidates': async () =>
    answer(epoch, 'topology.candidates-committed').map((event) => ({ ...event, committedAt: now() })),
  'topology.fixBeacon': async () =>
    answer(epoch, 'topology.beacon-fixed').map((event) => ({ ...event, fixedAt: now() })),
  'topology.collectSelections': async () => [],
};

const record = async (
  scenarios: typeof SCENARIOS,
  settings: Readonly<Record<string, number>>,
): Promise<void> => {
  const chosen = Object.entries(scenarios).filter(
    ([name]) => wanted.length === 0 || wanted.some((word) => name.includes(word)),
  );
  if (chosen.length === 0) return;
  const temporal = await startTemporal({
    env: process.env,
    report: console.error,
    file: null,
    logFile: join(directory, 'temporal.log'),
    ui: false,
    settings,
  });
  try {
    const recorder = await openRecorder({ databaseUrl: postgres.url, address: temporal.address }, others);
    for (const [name, run] of chosen) {
      console.log(name);
      await run(recorder);
    }
    await recorder.stop();
  } finally {
    await temporal.stop();
  }
};

try {
  await record(SCENARIOS, {});
  await record(CONTINUED, { 'limit.historyCount.suggestContinueAsNew': HISTORY_LIMIT });
} finally {
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
}
