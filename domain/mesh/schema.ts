import { z } from 'zod';
import { PLATFORMS } from '../enclave/events.ts';
import { ENCLAVE_LIMITS, WORK_LIMITS } from '../enclave/limits.ts';
import { ERROR_STATUS, type ErrorCode } from '../errors.ts';
import { FINDINGS } from '../observation/evidence.ts';
import { MAX_ARTIFACT_BYTES } from '../ports/artifacts.ts';
import {
  answerSchema,
  availabilityRecordSchema,
  beaconSchema,
  receiptSchema,
} from '../proof/observed/schema.ts';
import { executionProofSchema } from '../proof/schema.ts';
import type { ToldCapacity } from '../queue/told-capacity.ts';
import {
  namedMicro as amount,
  hex as hexOf,
  instant,
  nameOf,
  seconds,
  share,
  shownTextOf,
  textOf,
  tops,
} from '../schema.ts';
import { jsonFault } from '../text.ts';
import { INFRASTRUCTURE_TYPES, TIER_NAMES } from '../tiers.ts';
import type { SelectionJson } from '../topology/selection-json.ts';
import {
  type AttestationEvidence,
  type AuctionAnnouncement,
  type EngineReplies,
  type EngineRequest,
  type MeshRefusal,
  MOST_NEIGHBOURS,
  type NodeReplies,
  type NodeRequest,
  type PeerReplies,
  type PeerRequest,
  type RelayReply,
  type RelayRequest,
} from './messages.ts';

/** What goes over the mesh, checked on receipt at both ends. Unknown members are dropped, so that peers can be newer. */
const hex32 = hexOf(32);
const vrfProof = hexOf(80);
const id = z.string().regex(/^[a-z]{1,20}-[0-9A-HJKMNP-TV-Z]{26}$/, 'a prefix and a ULID');
const name = nameOf(128);
const platform = z.enum(PLATFORMS);
const epoch = {
  network: name,
  epoch: z.int().nonnegative(),
  beacon: hex32,
  candidateRoot: hex32,
  candidateCount: z.int().positive(),
};
const addresses = z.array(nameOf(256)).max(4);
/** A draw by another hand: its form is for the verifier to judge. */
const selection = z.custom<SelectionJson>(
  (value) => typeof value === 'object' && value !== null && jsonFault(value, '') === null,
  'a draw',
);
/** Bytes in base64url; the hash that comes with them tells whether they are. */
const artifactBytes = textOf(Math.ceil((MAX_ARTIFACT_BYTES / 3) * 4) + 4);
const challenge = {
  terms: availabilityRecordSchema.shape.terms,
  round: z.int().min(0).max(63),
  beacon: beaconSchema,
};
/** Epochs in force at a time. */
const EPOCHS = 2;
const introduction = { epoch: z.int().nonnegative(), selections: z.array(selection).max(EPOCHS) };

const memoryMb = z.int().min(ENCLAVE_LIMITS.memoryMb.min).max(ENCLAVE_LIMITS.memoryMb.max);

/** Runs at once of one node, at most. */
const MOST_PLACES = 1024;

const auctionAnnouncement = z.object({
  auctionId: id,
  submitter: name,
  tier: z.enum(TIER_NAMES),
  requiredTops: tops,
  utilization: share,
  durationSeconds: seconds,
  tRef: tops.exactOptional(),
  memoryMb: memoryMb.exactOptional(),
  winners: z.int().positive(),
  ceiling: amount,
  closesAt: instant,
}) satisfies z.ZodType<AuctionAnnouncement>;

const bidOutcome = { won: z.boolean(), takenBy: instant.exactOptional() };

const enclaveConfig = z.object({
  memoryMb,
  cpuCores: z.int().min(ENCLAVE_LIMITS.cpuCores.min).max(ENCLAVE_LIMITS.cpuCores.max),
  allowDebug: z.literal(false),
});

const argument = textOf(WORK_LIMITS.arguments.bytes);
const workOrder = z.object({
  args: z.array(argument).max(WORK_LIMITS.arguments.count),
  inputHash: hex32,
  randomSeed: hex32,
  clockStart: instant,
  timeLimitSeconds: z.number().positive().max(WORK_LIMITS.seconds.max),
  fuelLimit: z.int().positive().exactOptional(),
});

export const nodeRequestSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('auction-opened'), auction: auctionAnnouncement }),
  z.object({ type: z.literal('auction-ended'), auctionId: id, ...bidOutcome }),
  z.object({
    type: z.literal('stand-in'),
    auctionId: id,
    tops,
    memoryMb: memoryMb.exactOptional(),
    deposit: amount,
    payment: amount,
  }),
  z.object({ type: z.literal('confirm-bid'), auctionId: id, tops, memoryMb: memoryMb.exactOptional() }),
  z.object({
    type: z.literal('create-enclave'),
    enclaveId: id,
    platform,
    codeHash: hex32,
    config: enclaveConfig,
    reservation: z.object({ auctionId: id, tops }).exactOptional(),
    expiresAt: instant.exactOptional(),
  }),
  z.object({ type: z.literal('attest-enclave'), enclaveId: id, nonce: hex32 }),
  z.object({ type: z.literal('attest-host'), platform, nonce: hex32 }),
  z.object({ type: z.literal('run-enclave'), enclaveId: id, jobId: id.nullable(), work: workOrder }),
  z.object({ type: z.literal('destroy-enclave'), enclaveId: id }),
  z.object({ type: z.literal('draw-neighbours'), ...epoch }),
  z.object({ type: z.literal('be-observed'), terms: challenge.terms }),
  z.object({ type: z.literal('observe'), ...challenge, agreed: hex32.exactOptional() }),
]) satisfies z.ZodType<NodeRequest>;

const toldCapacity = z.object({
  places: z.int().min(1).max(MOST_PLACES),
  memoryMb: z
    .int()
    .min(0)
    .max(2 ** 31),
  rate: z
    .object({
      perSecond: z.number().positive().max(1e15),
      cores: z.number().positive().max(65_536),
      startSeconds: z.number().nonnegative().max(3600),
    })
    .nullable(),
}) satisfies z.ZodType<ToldCapacity>;

/** Requests of resource-discovery. */
export const discoveryRequestSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('join'),
    at: instant,
    infrastructureType: z.enum(INFRASTRUCTURE_TYPES),
    asn: z.int().min(1).max(4_294_967_295),
    region: name,
    tops,
    platforms: z.array(platform).min(1).max(PLATFORMS.length),
    stake: amount,
    vrf: z.object({ publicKey: hex32, proof: vrfProof }).exactOptional(),
    addresses: addresses.exactOptional(),
    capacity: toldCapacity.exactOptional(),
  }),
  z.object({
    type: z.literal('heartbeat'),
    sequence: z.int().nonnegative(),
    at: instant,
    neighbours: z.array(id).max(MOST_NEIGHBOURS).exactOptional(),
  }),
]) satisfies z.ZodType<EngineRequest>;

/** Requests of nodes over agent-communication. Artefact bytes are bounded by the frame that carries them. */
export const workRequestSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('bid'), auctionId: id, price: amount, signature: z.base64url().max(88) }),
  z.object({ type: z.literal('bid-outcome'), auctionId: id }),
  z.object({ type: z.literal('fetch-artifact'), sha256: hex32, enclaveId: id }),
  z.object({ type: z.literal('store-output'), sha256: hex32, enclaveId: id, bytes: artifactBytes }),
  z.object({ type: z.literal('neighbourhood') }),
]) satisfies z.ZodType<EngineRequest>;

/** What nodes say to each other. */
export const peerRequestSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('introduce'), ...introduction }),
  z.object({ type: z.literal('open-chunks'), ...challenge }),
]) satisfies z.ZodType<PeerRequest>;

/** What a peer says in its own words is mended, not refused: a broken message must not make an answer none. */
const refusal = z.object({
  type: z.literal('refused'),
  code: z.enum(Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]]),
  message: shownTextOf(2048),
  errors: z
    .array(z.object({ field: shownTextOf(256), rule: shownTextOf(512) }))
    .max(64)
    .exactOptional(),
}) satisfies z.ZodType<MeshRefusal>;

const noted = z.object({ type: z.literal('noted') });
const attestation = z.object({
  type: z.literal('attestation'),
  evidence: z.object({
    platform,
    report: z.base64url().max(16_384),
    certificates: z.array(z.base64url().max(16_384)).max(8),
    binding: z.literal('host').exactOptional(),
  }) satisfies z.ZodType<AttestationEvidence>,
  enclaveKey: hex32,
});

/** What a node may answer to each request, refusals included. */
export const nodeReplySchemas: {
  readonly [T in keyof NodeReplies]: z.ZodType<NodeReplies[T] | MeshRefusal>;
} = {
  'auction-opened': z.union([noted, refusal]),
  'auction-ended': z.union([noted, refusal]),
  'stand-in': z.union([z.object({ type: z.literal('standing-in') }), refusal]),
  'confirm-bid': z.union([z.object({ type: z.literal('bid-confirmed'), hasRoom: z.boolean() }), refusal]),
  'create-enclave': z.union([z.object({ type: z.literal('enclave-created'), enclaveKey: hex32 }), refusal]),
  'attest-enclave': z.union([attestation, refusal]),
  'attest-host': z.union([attestation, refusal]),
  'run-enclave': z.union([
    z.object({ type: z.literal('run-finished'), proof: executionProofSchema }),
    refusal,
  ]),
  'destroy-enclave': z.union([z.object({ type: z.literal('destroyed') }), refusal]),
  'draw-neighbours': z.union([
    z.object({ type: z.literal('neighbours-drawn'), output: hexOf(64), proof: vrfProof }),
    refusal,
  ]),
  'be-observed': z.union([noted, refusal]),
  observe: z.union([
    z.object({
      type: z.literal('observed'),
      receipt: receiptSchema,
      answer: answerSchema.nullable(),
      finding: z.enum(FINDINGS),
    }),
    refusal,
  ]),
};

/** What the engine may answer to each request, refusals included. */
export const engineReplySchemas: {
  readonly [T in keyof EngineReplies]: z.ZodType<EngineReplies[T] | MeshRefusal>;
} = {
  join: z.union([
    z.object({
      type: z.literal('joined'),
      providerId: id,
      heartbeatSeconds: z.number().positive().max(3600),
    }),
    refusal,
  ]),
  heartbeat: z.union([z.object({ type: z.literal('seen') }), refusal]),
  bid: z.union([
    z.object({ type: z.literal('bid-placed'), bidId: id, position: z.string().regex(/^\d{1,18}$/) }),
    refusal,
  ]),
  'bid-outcome': z.union([
    z.object({ type: z.literal('still-open'), closesAt: instant }),
    z.object({ type: z.literal('bid-decided'), ...bidOutcome }),
    refusal,
  ]),
  'fetch-artifact': z.union([z.object({ type: z.literal('artifact'), bytes: artifactBytes }), refusal]),
  'store-output': z.union([z.object({ type: z.literal('stored') }), refusal]),
  neighbourhood: z.union([
    z.object({
      type: z.literal('neighbourhood'),
      epochs: z.array(z.object({ ...epoch, selection: selection.nullable() })).max(EPOCHS),
      contacts: z.array(z.object({ nodeId: id, addresses })).max(MOST_NEIGHBOURS),
    }),
    refusal,
  ]),
};

/** What a node may answer to another. */
export const peerReplySchemas: {
  readonly [T in keyof PeerReplies]: z.ZodType<PeerReplies[T] | MeshRefusal>;
} = {
  introduce: z.union([z.object({ type: z.literal('introduced'), ...introduction }), refusal]),
  'open-chunks': z.union([z.object({ type: z.literal('chunks-opened'), answer: answerSchema }), refusal]),
};

/** What a worker asks of another. */
export const relayRequestSchema = z.object({
  type: z.literal('relay'),
  providerId: id,
  request: nodeRequestSchema,
  timeoutMs: z.number().positive(),
}) satisfies z.ZodType<RelayRequest>;

/** What a worker may answer another that relayed a request of this type; a refusal is the worker's own. */
export const relayReplySchema = <R extends NodeRequest>(
  request: R,
): z.ZodType<RelayReply<R> | MeshRefusal> => {
  // The table maps each request type to its replies; TypeScript cannot follow the index through R.
  const reply = nodeReplySchemas[request.type as keyof NodeReplies] as z.ZodType<
    NodeReplies[R['type']] | MeshRefusal
  >;
  return z.discriminatedUnion('type', [
    z.object({ type: z.literal('relayed'), reply }),
    z.object({
      type: z.literal('unreachable'),
      message: z.string().max(2048),
      cause: z.enum(['node', 'engine']),
    }),
    refusal,
  ]);
};
