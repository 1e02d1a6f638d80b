import { ok, type Result, reject } from '../../domain/errors.ts';
import { canonicalJson } from '../../domain/json.ts';
import type { TeePlatform } from '../tee/platform.ts';
import { createEnclave, type Enclave } from './enclave.ts';
import { enclaveLink } from './enclave-link.ts';
import { checkFacts, type EnclaveOrder, memoryRule } from './order-rules.ts';
import { detectIsolation, spawnEnclave } from './spawn.ts';

export interface EnclaveHost {
  /** Whether this machine lets enclaves be cut off from the network; `host` says that it does not. */
  readonly network: 'none' | 'host';
  /**
   * Starts an enclave. The same order again gives the same enclave; the id with another order, or after its end, is a
   * CONFLICT. Refusals name field and rule; too many live enclaves are RESOURCE_UNAVAILABLE.
   */
  create(order: EnclaveOrder): Promise<Result<Enclave>>;
  /** A live enclave. */
  get(enclaveId: string): Enclave | undefined;
  /** Ids of the live enclaves. */
  live(): readonly string[];
  /** Destroys all of them. */
  close(): Promise<void>;
}

export interface EnclaveHostOptions {
  readonly platform: TeePlatform;
  /** Most live enclaves. Default 32. */
  readonly maximumEnclaves?: number;
}

interface Entry {
  readonly order: string;
  readonly started: Promise<Result<Enclave>>;
  enclave: Enclave | null;
}

const START_LIMIT_MS = 30_000;
/** Ends remembered, so that a late repetition of `create` does not bring an enclave back. */
const REMEMBERED_ENDS = 10_000;

/** Runs enclaves of one platform as child processes; they die with this process. */
export const createEnclaveHost = ({ platform, maximumEnclaves = 32 }: EnclaveHostOptions): EnclaveHost => {
  const isolation = detectIsolation();
  const entries = new Map<string, Entry>();
  const kills = new Set<() => void>();
  const ended = new Set<string>();
  const killAll = (): void => {
    for (const kill of kills) kill();
  };
  process.once('exit', killAll);

  const remember = (enclaveId: string): void => {
    entries.delete(enclaveId);
    ended.add(enclaveId);
    const [oldest] = ended;
    if (ended.size > REMEMBERED_ENDS && oldest !== undefined) ended.delete(oldest);
  };

  const start = async (order: EnclaveOrder): Promise<Result<Enclave>> => {
    const checked = checkFacts(order);
    if (!checked.ok) return checked;
    const { enclaveId, code, config } = order;
    const link = enclaveLink(spawnEnclave(isolation));
    kills.add(link.kill);
    void link.ended.then(() => kills.delete(link.kill));
    const answer = await link.ask(
      { type: 'load', enclaveId, code, config, wrapper: isolation.wrapper },
      START_LIMIT_MS,
    );
    if (answer?.type !== 'loaded') {
      link.kill();
      if (answer?.type === 'refused') return answer.rejection;
      return reject('RESOURCE_UNAVAILABLE', 'the enclave process did not start');
    }
    const fits = memoryRule(answer.minimumMemoryBytes, config);
    if (!fits.ok) {
      link.kill();
      return fits;
    }
    void link.ended.then(() => remember(enclaveId));
    const { enclaveKey } = answer;
    return ok(
      createEnclave({ enclaveId, enclaveKey, code, config, platform, link, network: isolation.network }),
    );
  };

  const open = (order: EnclaveOrder, key: string): Promise<Result<Enclave>> => {
    const entry: Entry = { order: key, started: start(order), enclave: null };
    entries.set(order.enclaveId, entry);
    return entry.started.then((result) => {
      if (result.ok) entry.enclave = result.value;
      else if (entries.get(order.enclaveId) === entry) entries.delete(order.enclaveId);
      return result;
    });
  };

  return {
    network: isolation.network,
    create: async (order) => {
      const { enclaveId, codeHash, config } = order;
      const key = canonicalJson({ codeHash, config });
      const entry = entries.get(enclaveId);
      if (entry?.order === key) return entry.started;
      if (entry) return reject('CONFLICT', 'this enclave exists with another module or configuration');
      if (ended.has(enclaveId)) return reject('CONFLICT', 'this enclave has ended');
      if (entries.size >= maximumEnclaves)
        return reject('RESOURCE_UNAVAILABLE', `this node runs at most ${maximumEnclaves} enclaves`);
      return open(order, key);
    },
    get: (enclaveId) => entries.get(enclaveId)?.enclave ?? undefined,
    live: () => [...entries].flatMap(([id, { enclave }]) => (enclave ? [id] : [])),
    close: async () => {
      process.removeListener('exit', killAll);
      const started = await Promise.all([...entries.values()].map((entry) => entry.started));
      await Promise.all(started.map((result) => (result.ok ? result.value.destroy() : Promise.resolve())));
    },
  };
};
