import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DEFAULT_MEMORY_MB, WORK_LIMITS } from '../../../domain/enclave/limits.ts';
import { type FieldError, ok, type Result, reject } from '../../../domain/errors.ts';
import type { SubmitJob } from '../../../domain/job/commands.ts';
import { DEFAULT_WAIT_SECONDS, MAX_WAIT_SECONDS } from '../../../domain/job/waiting.ts';
import type { CommandAccepted } from '../../../domain/ports/lifecycles.ts';
import { textOf } from '../../../domain/schema.ts';
import { DEFAULT_AUCTION_SECONDS } from '../../../domain/tiers.ts';
import { queuePlaces } from '../../../infra/queue/position.ts';
import { queuePosition } from '../../../projections/jobs/queries.ts';
import { defineRoute, type RequestContext, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { amount, idOf, position, sha256 } from '../../fields.ts';
import { createMemoryRule } from '../artifacts/module-memory.ts';
import { WASM_MEDIA_TYPE } from '../artifacts/put.ts';
import { auctionPlaceOf, auctionSeconds, quoteId, usedElsewhere } from '../auctions/open.ts';
import { makeQuote, quoteFields } from '../auctions/quote.ts';
import { inPlace } from '../places.ts';
import { JOB_STATES } from './job.ts';
import { jobIdFor, type Terms, termsOfAuction, termsOfQuote } from './terms.ts';

const EMPTY_SHA256 = createHash('sha256').digest('hex');

const work = {
  code_hash: sha256,
  args: z.array(textOf(WORK_LIMITS.arguments.bytes)).max(WORK_LIMITS.arguments.count).default([]),
  input_ref: sha256.optional().describe('standard input; empty when absent'),
  allow_simulated: z.boolean().default(false),
};
const priced = {
  max_price_micro: amount.optional().describe('lower ceiling per winner'),
  auction_seconds: auctionSeconds.default(DEFAULT_AUCTION_SECONDS),
  max_wait_seconds: z
    .int()
    .min(0)
    .max(MAX_WAIT_SECONDS)
    .default(DEFAULT_WAIT_SECONDS)
    .describe('how long it may wait, as queued, for room; with 0 its auction opens at once'),
};

const memory = z.int().min(1);
const quotedMemory = {
  memory_mb: memory.optional().describe('at most what was quoted, which it is unless given'),
};

const byQuote = z.strictObject({ quote_id: quoteId, ...priced, ...work, ...quotedMemory });
const byInputs = z.strictObject({
  ...quoteFields,
  ...priced,
  ...work,
  memory_mb: memory.default(DEFAULT_MEMORY_MB),
});
const byAuction = z.strictObject({ auction_id: idOf('auction'), ...work, ...quotedMemory });

type Body = z.output<typeof byQuote> | z.output<typeof byInputs> | z.output<typeof byAuction>;

const waitingPlaceOf = (principal: string, stream: string) => ({
  principal,
  stream,
  field: 'max_wait_seconds',
  what: 'jobs that wait for room',
});

type Deps = Pick<
  RouteDependencies,
  | 'auctionPlaces'
  | 'waitingPlaces'
  | 'quotes'
  | 'lifecycles'
  | 'store'
  | 'signer'
  | 'artifacts'
  | 'db'
  | 'requireHardware'
  | 'tRef'
>;

export const submitJob = (deps: Deps) => {
  const {
    auctionPlaces,
    waitingPlaces,
    quotes,
    lifecycles,
    store,
    signer,
    artifacts,
    db,
    requireHardware,
    tRef,
  } = deps;

  const termsOf = async (body: Body, context: RequestContext): Promise<Result<Terms>> => {
    const { principal } = context;
    if ('auction_id' in body) return termsOfAuction(store, body.auction_id, principal.id);
    const quoted =
      'quote_id' in body ? await quotes.open(body.quote_id, principal.id) : makeQuote(body, context, tRef);
    if (!quoted.ok) return quoted;
    const used = await usedElsewhere(store, quoted.value, `job-${quoted.value.ulid}`);
    const limits = { maximum: body.max_price_micro, auctionSeconds: body.auction_seconds };
    return used ?? ok(termsOfQuote(quoted.value, limits, signer));
  };

  /** The auction whose ULID the job of `body` shares; null when the body names none of the caller's. */
  const auctionOf = async (body: Body, context: RequestContext): Promise<string | null> => {
    if ('auction_id' in body) return body.auction_id;
    const quoted =
      'quote_id' in body
        ? await quotes.openExpired(body.quote_id, context.principal.id)
        : makeQuote(body, context, tRef);
    return quoted.ok ? `auction-${quoted.value.ulid}` : null;
  };

  const accepted = async (auctionId: string, { position: at, state }: CommandAccepted) =>
    respond(202, {
      job_id: jobIdFor(auctionId),
      state: state as (typeof JOB_STATES)[number],
      auction_id: auctionId,
      queue_position:
        state === 'queued'
          ? ((await queuePlaces(db)).get(jobIdFor(auctionId)) ?? 0)
          : await queuePosition(db, { submittedPosition: at }),
      position: at,
    });

  const memoryErrors = createMemoryRule(artifacts);

  /** Module and input have to be there, and the caller's, before anything is paid for. */
  const missingArtifacts = async (body: Body, principal: string): Promise<FieldError[]> => {
    const errors: FieldError[] = [];
    const module = await artifacts.find(body.code_hash, principal);
    if (module?.mediaType !== WASM_MEDIA_TYPE)
      errors.push({ field: 'code_hash', rule: 'a module that you stored' });
    if (body.input_ref === undefined)
      await artifacts.put(new Uint8Array(), principal, 'application/octet-stream');
    else if (!(await artifacts.find(body.input_ref, principal)))
      errors.push({ field: 'input_ref', rule: 'an artefact that you stored' });
    return errors;
  };

  return defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/scheduler/submit',
      summary: 'Submit a job: by a quote, by what a quote is made of, or by an awarded auction',
      tag: 'scheduler',
      access: ['submitter'],
      body: z.union([byQuote, byInputs, byAuction]),
      responses: {
        202: z.object({
          job_id: z.string(),
          state: z.enum(JOB_STATES),
          auction_id: z.string(),
          queue_position: z.int(),
          position,
        }),
      },
      errors: [
        'RESOURCE_NOT_FOUND',
        'CONFLICT',
        'AUCTION_NOT_ENOUGH_BIDS',
        'QUORUM_NOT_ACHIEVED',
        'INSUFFICIENT_BALANCE',
      ],
    },
    async (context, { body }) => {
      const { principal, meta } = context;
      if (body.allow_simulated && requireHardware) {
        return reject('INVALID_REQUEST', 'this server accepts hardware only', [
          { field: 'allow_simulated', rule: 'false: simulated roots are refused here' },
        ]);
      }
      const missing = await missingArtifacts(body, principal.id);
      if (missing.length > 0) return reject('RESOURCE_NOT_FOUND', 'an artefact is missing', missing);
      const terms = await termsOf(body, context);
      if (!terms.ok) return terms;
      const memoryMb = body.memory_mb ?? terms.value.pricedMemoryMb ?? DEFAULT_MEMORY_MB;
      const tooSmall = await memoryErrors(body.code_hash, memoryMb);
      if (tooSmall.length > 0) return reject('INVALID_REQUEST', 'the module needs more memory', tooSmall);
      const jobId = jobIdFor(terms.value.auctionId);
      const command: SubmitJob = {
        type: 'submit',
        jobId,
        submitter: principal.id,
        ...terms.value,
        codeHash: body.code_hash,
        args: body.args,
        inputHash: body.input_ref ?? EMPTY_SHA256,
        memoryMb,
        ...('max_wait_seconds' in body && { maxWaitSeconds: body.max_wait_seconds }),
        allowSimulated: body.allow_simulated,
      };
      await artifacts.use(principal.id, [command.codeHash, command.inputHash]);
      const open = () => lifecycles.open('job', jobId, command, meta(jobId));
      const inItsPlace = () => {
        // An auction that was given is over, and its place is free.
        if (command.auctionGiven) return open();
        // Whoever lets it out counts its auction.
        return command.maxWaitSeconds
          ? inPlace(waitingPlaces, waitingPlaceOf(principal.id, jobId), open)
          : inPlace(auctionPlaces, auctionPlaceOf(principal.id, command.auctionId), open);
      };
      const outcome = await inItsPlace();
      return outcome.ok ? accepted(terms.value.auctionId, outcome) : outcome;
    },
    async (context, { body }) => {
      const auctionId = await auctionOf(body, context);
      const outcome = auctionId && (await lifecycles.decided(jobIdFor(auctionId), context.commandId));
      return outcome ? accepted(auctionId, outcome) : null;
    },
  );
};
