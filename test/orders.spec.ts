import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { getInitialSnapshot } from 'xstate';
import type { z } from 'zod';
import { createEnclaveActivities, type EnclaveDeps } from '../activities/enclave.ts';
import { createJobActivities, type JobDeps } from '../activities/job.ts';
import type { RouteDependencies } from '../api/dependencies.ts';
import { submitJob } from '../api/routes/jobs/submit.ts';
import type { CreateEnclave, RunEnclave } from '../domain/enclave/commands.ts';
import { decide as decideEnclave } from '../domain/enclave/decide.ts';
import { type Enclave, requested } from '../domain/enclave/enclave.ts';
import type { EnclaveRequested } from '../domain/enclave/events.ts';
import { enclaveMachine } from '../domain/enclave/machine.ts';
import type { SubmitJob } from '../domain/job/commands.ts';
import { decide, decideV1 } from '../domain/job/decide.ts';
import { blankJob, evolveJob, type Job, type Member } from '../domain/job/job.ts';
import { JOB_VERSION, jobMachine } from '../domain/job/machine.ts';
import type { NodeRequest } from '../domain/mesh/messages.ts';
import { nodeRequestSchema } from '../domain/mesh/schema.ts';
import { toMicro } from '../domain/money.ts';
import { jsonFault } from '../domain/text.ts';
import { CONTROL_FRAME_BYTES, createFrameDecoder, encodeFrame } from '../infra/p2p/frames.ts';
import { checkOrder } from '../infra/sandbox/order-rules.ts';
import { startingMemoryMb } from '../infra/sandbox/wasm-memory.ts';
import { workErrors } from '../infra/sandbox/work-rules.ts';
import { jobLifecycle } from '../workflows/job.ts';
import { type ChildrenEffect, lifecycleAt } from '../workflows/lifecycle.ts';
import { assembleTestModule } from './workloads/assemble.ts';

/**
 * What the engine takes, every node takes: orders at and beyond every limit, from the body of a request through decision
 * and effects to the node's own checks.
 */

const NOW = '2026-01-01T00:00:00.000Z';
const ULID = '0'.repeat(26);
const INPUT = new Uint8Array();
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const modules = await Promise.all(
  ['echo-args', 'large-start'].map(async (name) => new Uint8Array(await assembleTestModule(name))),
);

const bodySchema = submitJob({} as RouteDependencies).body as z.ZodType<{
  args: string[];
  duration_seconds: number;
  memory_mb: number;
}>;

interface Order {
  readonly module: Uint8Array;
  readonly body: Record<string, unknown>;
}

const unit = fc.oneof(
  fc.constantFrom(
    '\0',
    '\ud800',
    '\udc00',
    '\u0001',
    '"',
    '\\',
    'ü',
    '\ud83d\ude00',
    '\u2028',
    '\u202e',
    '\n',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
);
const argument = fc.oneof(
  fc.string({ unit, maxLength: 6 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constantFrom('a'.repeat(16_383), '\u0001'.repeat(16_383), 'ü'.repeat(8191), 'a'.repeat(16_384)),
);
const orders: fc.Arbitrary<Order> = fc.record({
  module: fc.constantFrom(...modules),
  body: fc.record({
    args: fc.oneof(
      fc.array(argument, { maxLength: 3 }),
      fc.array(fc.constantFrom('', 'a'), { minLength: 63, maxLength: 65 }),
    ),
    duration_seconds: fc.oneof(
      fc.constantFrom(1, 60, 1.5, 2_073_600),
      fc.constantFrom(0.5, 2_073_601, 2_147_483, 2_147_484, 2_592_000),
      fc.double({ min: 0, max: 2_600_000, noNaN: true }),
    ),
    memory_mb: fc.constantFrom(0, 1, 64, 65, 256, 4096, 4097),
    utilization: fc.constant(0.8),
    required_tops: fc.constant(500),
    tier: fc.constant('bronze'),
  }),
});

/** What the submit route makes of a body; null where it refuses. */
const commandOf = ({ module, body }: Order): SubmitJob | null => {
  const given = { ...body, code_hash: sha256(module) };
  const parsed = bodySchema.safeParse(given);
  if (jsonFault(given, 'body') || !parsed.success) return null;
  if (parsed.data.memory_mb < startingMemoryMb(module)) return null;
  return submitOf(module, parsed.data);
};

const submitOf = (
  module: Uint8Array,
  { args, duration_seconds, memory_mb }: { args: string[]; duration_seconds: number; memory_mb: number },
): SubmitJob => ({
  type: 'submit',
  jobId: `job-${ULID}`,
  submitter: 'subject-1',
  quoteId: 'quote-1',
  auctionId: `auction-${ULID}`,
  auctionGiven: false,
  tier: 'bronze',
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: duration_seconds,
  ceiling: toMicro('1000'),
  codeHash: sha256(module),
  args,
  inputHash: sha256(INPUT),
  memoryMb: memory_mb,
  auctionSeconds: 1,
  allowSimulated: true,
  seed: '00'.repeat(32),
});

/** The job that begins, as its effects meet it when a quorum stands; null where the decision refuses. */
const jobOf = (command: SubmitJob, rules: typeof decide): Job | null => {
  const decision = rules(getInitialSnapshot(jobMachine), command, { now: NOW, actor: 'subject-1' });
  if (!decision.ok) return null;
  const member = {
    providerId: `provider-${ULID}`,
    enclaveId: `enclave-${ULID}`,
    owner: 'subject-2',
    result: null,
  };
  return {
    ...decision.events.reduce(evolveJob, blankJob),
    members: [member as Member],
  };
};

/** What the effects of a job and of its enclave ask the node for. */
const requestsOf = async (job: Job): Promise<NodeRequest[]> => {
  const [child] = (lifecycleAt(jobLifecycle, JOB_VERSION).effects['launch'] as ChildrenEffect<unknown>).start(
    { job },
  );
  const decision = decideEnclave(getInitialSnapshot(enclaveMachine), child?.command as CreateEnclave, {
    now: NOW,
    actor: 'engine',
  });
  if (!decision.ok) throw new Error(decision.message);
  const orders: RunEnclave[] = [];
  const lifecycles = {
    tell: async (_: string, order: RunEnclave) => void orders.push(order),
  };
  await createJobActivities({ lifecycles, now: () => NOW } as unknown as JobDeps)['job.run']({ job });

  const asked: NodeRequest[] = [];
  const ask = async (_: string, request: NodeRequest) => {
    asked.push(request);
    return { reply: { type: 'lost', message: '' }, missedHeartbeats: 0 };
  };
  const activities = createEnclaveActivities({ ask } as unknown as EnclaveDeps);
  const enclave: Enclave = {
    ...requested(decision.events[0] as EnclaveRequested),
    work: (orders[0] as RunEnclave).work,
  };
  await activities['enclave.createOnNode']({ enclave });
  await activities['enclave.runOnNode']({ enclave });
  return asked;
};

/** Rules that a node finds broken in what reaches it over the wire. */
const nodeErrors = async (module: Uint8Array, asked: readonly NodeRequest[]): Promise<string[]> => {
  const broken: string[] = [];
  for (const request of asked) {
    const decoder = createFrameDecoder((bytes) => bytes <= CONTROL_FRAME_BYTES);
    const [received] = decoder.push(encodeFrame(request, CONTROL_FRAME_BYTES));
    const fault = jsonFault(received, 'message');
    const parsed = nodeRequestSchema.safeParse(received);
    if (fault) broken.push(`${fault.field}: ${fault.rule}`);
    if (!parsed.success)
      broken.push(...parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
    else if (parsed.data.type === 'create-enclave') {
      const { codeHash, config } = parsed.data;
      const checked = await checkOrder({ code: module, codeHash, config });
      if (!checked.ok) broken.push(JSON.stringify(checked.errors));
    } else if (parsed.data.type === 'run-enclave') {
      broken.push(...workErrors(parsed.data.work, INPUT).map(({ field, rule }) => `${field}: ${rule}`));
    }
  }
  return broken;
};

describe('an order that the engine takes', () => {
  test('is taken by every node, at every limit', async () => {
    const seen = { taken: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(orders, async (order) => {
        const command = commandOf(order);
        const job = command && jobOf(command, decide);
        if (!job) {
          seen.refused++;
          return;
        }
        seen.taken++;
        const asked = await requestsOf(job);
        expect(asked.map(({ type }) => type)).toEqual(['create-enclave', 'run-enclave']);
        expect(await nodeErrors(order.module, asked)).toEqual([]);
      }),
      { numRuns: 600 },
    );
    // Far below what comes: a property over nothing would say nothing.
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(10);
  });

  test('is refused by the decision alone where a node would refuse it, without the gate of the API', async () => {
    await fc.assert(
      fc.asyncProperty(orders, async ({ module, body }) => {
        const command = submitOf(module, body as never);
        const job = command.memoryMb >= startingMemoryMb(module) ? jobOf(command, decide) : null;
        if (job) expect(await nodeErrors(module, await requestsOf(job))).toEqual([]);
      }),
      { numRuns: 600 },
    );
  });

  test('the rules of version 1 did not promise as much', async () => {
    const [module] = modules as [Uint8Array];
    const ask = async (change: object) => {
      const given = { args: [], duration_seconds: 60, memory_mb: 64, ...change };
      const job = jobOf(submitOf(module, given), decideV1);
      return job ? nodeErrors(module, await requestsOf(job)) : [];
    };
    expect(await ask({})).toEqual([]);
    expect(await ask({ args: ['\0'] })).not.toEqual([]);
    expect(await ask({ args: ['\ud800'] })).not.toEqual([]);
    expect(await ask({ duration_seconds: 2_592_000 })).not.toEqual([]);
  });
});
