import { randomBytes } from 'node:crypto';
import { createJobActivities } from '../../../activities/job.ts';
import type { Enclave } from '../../../domain/enclave/enclave.ts';
import type { EnclaveEvent } from '../../../domain/enclave/events.ts';
import { ulidFrom } from '../../../domain/ids.ts';
import type { SubmitJob } from '../../../domain/job/commands.ts';
import { toMicro } from '../../../domain/money.ts';
import { addSeconds } from '../../../domain/time.ts';
import { bidIdOf } from '../../../infra/bidding/bid-id.ts';
import { sealContext } from '../../../infra/bidding/seal-context.ts';
import { type Engine, metaOf, now } from '../open-engine.ts';

const HEX = 'ab'.repeat(32);
const OUTPUT_HASH = 'cd'.repeat(32);

interface Input {
  readonly enclave: Enclave;
}

/**
 * The effects of jobs and enclaves with nodes that do as they are told: the job's are the real ones. A run answers when
 * `mayFinish` resolves.
 */
export const wholeJobEffects = (engine: () => Engine, mayFinish: () => Promise<void>) => ({
  ...Object.fromEntries(
    (['takeAward', 'replaceMembers', 'addMember', 'run', 'prove', 'settle'] as const).map((name) => [
      `job.${name}`,
      (input: never) => {
        const { lifecycles, store, providers } = engine();
        return createJobActivities({ lifecycles, store, providers, now })[`job.${name}`](input);
      },
    ]),
  ),
  'enclave.createOnNode': async (): Promise<EnclaveEvent[]> => [{ type: 'enclave.created', enclaveKey: HEX }],
  'enclave.attest': async (): Promise<EnclaveEvent[]> => [
    {
      type: 'enclave.attested',
      reportHash: HEX,
      measurement: HEX + HEX.slice(0, 32),
      nonce: HEX,
      label: 'simulated',
      steps: [],
      attestedAt: now(),
      expiresAt: addSeconds(now(), 24 * 3600),
    },
  ],
  'enclave.runOnNode': async ({ enclave }: Input): Promise<EnclaveEvent[]> => {
    await mayFinish();
    const { enclaveId, jobId, providerId, codeHash } = enclave;
    const at = now();
    return [
      {
        type: 'enclave.run-finished',
        proof: {
          proofId: `proof-${ulidFrom(Buffer.from(enclaveId))}`,
          record: {
            proofType: 'proof_of_execution',
            version: 1,
            jobId,
            enclaveId,
            providerId,
            moduleHash: codeHash,
            args: [],
            inputHash: HEX,
            outcome: 'exited',
            exitCode: 0,
            outputHash: OUTPUT_HASH,
            outputBytes: 0,
            stderrTail: '',
            resources: { cpuMs: 1, wallMs: 1, peakMemoryBytes: 1 },
            startedAt: at,
            finishedAt: at,
            reportHash: HEX,
          },
        },
        missedHeartbeats: 0,
        finishedAt: at,
      },
    ];
  },
  'enclave.destroyOnNode': async ({ enclave }: Input): Promise<EnclaveEvent[]> => [
    { type: 'enclave.destroyed', reason: enclave.destroyReason || 'failed', confirmed: true },
  ],
});

/** A bronze job of one member, by a submitter that can pay for it. */
export const newJob = async (engine: Engine, change: Partial<SubmitJob> = {}): Promise<SubmitJob> => {
  const id = randomBytes(8).toString('hex');
  const submitter = `subject-${id}`;
  await engine.fund(submitter, 10_000_000n);
  return {
    type: 'submit',
    jobId: `job-${id}`,
    submitter,
    quoteId: `quote-${id}`,
    auctionId: `auction-${id}`,
    auctionGiven: false,
    tier: 'bronze',
    tierTableVersion: 1,
    requiredTops: 500,
    utilization: 0.8,
    durationSeconds: 60,
    ceiling: toMicro(1_000_000n),
    codeHash: HEX,
    args: [],
    inputHash: HEX,
    memoryMb: 64,
    auctionSeconds: 3,
    allowSimulated: true,
    seed: HEX,
    ...change,
  };
};

/** Bids of three owners in the auction of a job, as soon as it is open. */
export const bidOn = async (engine: Engine, auctionId: string): Promise<void> => {
  const bidders = await Promise.all([0, 1, 2].map((index) => engine.provider(index, 'cloud_aws')));
  await engine.sealing.createKey(auctionId);
  await Promise.all(
    bidders.map(async ({ providerId, owner }, index) => {
      const bidId = bidIdOf(auctionId, providerId);
      const price = JSON.stringify({ price: `${1000 + index}` });
      const sealed = await engine.sealing.seal(auctionId, price, sealContext(auctionId, bidId));
      const command = { type: 'place-bid', bidId, providerId, owner, sealed } as const;
      const placed = await engine.lifecycles.execute(auctionId, command, metaOf(bidId, owner));
      if (!placed.ok) throw new Error(placed.message);
    }),
  );
};
