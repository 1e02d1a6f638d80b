import { type Rejection, reject } from '../../domain/errors.ts';
import { canonicalJson } from '../../domain/json.ts';
import type { NodeReplies, NodeRequest } from '../../domain/mesh/messages.ts';
import { epochMs } from '../../domain/time.ts';
import type { EnclaveHost } from '../sandbox/index.ts';
import type { NodeArtifacts } from './artifacts.ts';
import type { CapacityBook } from './capacity.ts';
import type { NodeLogger } from './logger.ts';
import { createOnce } from './once.ts';

type Request<T extends NodeRequest['type']> = Extract<NodeRequest, { type: T }>;
type Reply<T extends keyof NodeReplies> = Promise<NodeReplies[T] | Rejection>;

export interface EnclaveServiceDeps {
  readonly host: EnclaveHost;
  readonly artifacts: NodeArtifacts;
  readonly capacity: CapacityBook;
  /** The id under which the engine knows this node; null before the first join. */
  readonly providerId: () => string | null;
  readonly nowMs: () => number;
  readonly log: NodeLogger;
}

/** What the engine asks of enclaves. Every request may come again and is answered like the first time. */
export interface EnclaveService {
  create(request: Request<'create-enclave'>): Reply<'create-enclave'>;
  attest(request: Request<'attest-enclave'>): Reply<'attest-enclave'>;
  run(request: Request<'run-enclave'>): Reply<'run-enclave'>;
  destroy(enclaveId: string): Reply<'destroy-enclave'>;
  close(): Promise<void>;
}

/** An expired enclave stays this much longer, for an engine that is late. */
const EXPIRY_GRACE_MS = 60_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

const noEnclave = (enclaveId: string): Rejection => reject('RESOURCE_NOT_FOUND', `no enclave ${enclaveId}`);

/** Not the order and not this node: the artefact could not be had. */
const unfetched = (field: string, { code, message }: Rejection): Rejection =>
  reject(code === 'INVALID_REQUEST' ? 'RESOURCE_UNAVAILABLE' : code, message, [
    { field, rule: 'an artefact within reach at the engine' },
  ]);

export const createEnclaveService = (deps: EnclaveServiceDeps): EnclaveService => {
  const { host, artifacts, capacity, providerId, nowMs, log } = deps;
  const creations = createOnce<NodeReplies['create-enclave']>();
  const runs = createOnce<NodeReplies['run-enclave']>();
  const expiries = new Map<string, NodeJS.Timeout>();

  const start = async ({
    enclaveId,
    codeHash,
    config,
  }: Request<'create-enclave'>): Reply<'create-enclave'> => {
    const code = await artifacts.fetch(codeHash, enclaveId);
    if (!code.ok) return unfetched('codeHash', code);
    const created = await host.create({ enclaveId, code: code.value, codeHash, config });
    if (!created.ok) return created;
    log.info({ enclaveId, network: created.value.network }, 'enclave created');
    return { type: 'enclave-created', enclaveKey: created.value.enclaveKey };
  };

  const startInPlace = async (request: Request<'create-enclave'>): Reply<'create-enclave'> => {
    const { enclaveId, reservation, config } = request;
    if (!capacity.occupy(enclaveId, config.memoryMb, reservation))
      return reject('RESOURCE_UNAVAILABLE', 'all capacity of this node is taken');
    try {
      const reply = await start(request);
      if ('ok' in reply) capacity.vacate(enclaveId);
      else expire(enclaveId, request.expiresAt);
      return reply;
    } catch (error) {
      capacity.vacate(enclaveId);
      throw error;
    }
  };

  const expire = (enclaveId: string, expiresAt: string | undefined): void => {
    if (expiresAt === undefined) return;
    const inMs = epochMs(expiresAt) + EXPIRY_GRACE_MS - nowMs();
    // Node fires longer timers at once.
    if (inMs > MAX_TIMER_MS) return;
    const timer = setTimeout(() => {
      log.warn({ enclaveId }, 'enclave expired');
      destroy(enclaveId).catch((error: unknown) =>
        log.error({ enclaveId, err: error }, 'enclave not destroyed'),
      );
    }, inMs);
    expiries.set(enclaveId, timer);
  };

  const execute = async ({ enclaveId, jobId, work }: Request<'run-enclave'>): Reply<'run-enclave'> => {
    const enclave = host.get(enclaveId);
    const provider = providerId();
    if (!enclave || !provider) return noEnclave(enclaveId);
    const input = await artifacts.fetch(work.inputHash, enclaveId);
    if (!input.ok) return unfetched('work.inputHash', input);
    log.info({ enclaveId, jobId }, 'run started');
    const finished = await enclave.run({ jobId, providerId: provider, work }, input.value);
    if (!finished.ok) return finished;
    const { proof, output } = finished.value;
    const stored = await artifacts.store(proof.record.outputHash, enclaveId, output);
    if (!stored.ok) return stored;
    log.info({ enclaveId, jobId, proofId: proof.proofId, outcome: proof.record.outcome }, 'run finished');
    return { type: 'run-finished', proof };
  };

  const destroy = async (enclaveId: string): Reply<'destroy-enclave'> => {
    // An enclave that is being created is destroyed as soon as it exists.
    await creations.settled(enclaveId);
    clearTimeout(expiries.get(enclaveId));
    expiries.delete(enclaveId);
    await host.get(enclaveId)?.destroy();
    capacity.vacate(enclaveId);
    creations.forget(enclaveId);
    runs.forget(enclaveId);
    log.info({ enclaveId }, 'enclave destroyed');
    return { type: 'destroyed' };
  };

  return {
    create(request) {
      const { enclaveId, codeHash, config, platform } = request;
      const what = canonicalJson({ codeHash, config, platform });
      return creations.answer(enclaveId, what, () => startInPlace(request));
    },

    async attest({ enclaveId, nonce }) {
      const enclave = host.get(enclaveId);
      if (!enclave) return noEnclave(enclaveId);
      const evidence = await enclave.attest(nonce);
      if (!evidence.ok) return evidence;
      return { type: 'attestation', evidence: evidence.value, enclaveKey: enclave.enclaveKey };
    },

    run(request) {
      const { enclaveId, jobId, work } = request;
      return runs.answer(enclaveId, canonicalJson({ jobId, work }), () => execute(request));
    },

    destroy,

    async close() {
      for (const timer of expiries.values()) clearTimeout(timer);
      await host.close();
    },
  };
};
