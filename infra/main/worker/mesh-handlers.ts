import type { Pool } from 'pg';
import type { Auction } from '../../../domain/auction/auction.ts';
import type { Enclave } from '../../../domain/enclave/enclave.ts';
import { ok, type Rejection, type Result, reject } from '../../../domain/errors.ts';
import { stateName } from '../../../domain/lifecycle.ts';
import type { Artifacts } from '../../../domain/ports/artifacts.ts';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import type { Lifecycles } from '../../../domain/ports/lifecycles.ts';
import type { Sealing } from '../../../domain/ports/sealing.ts';
import { providerIdOf } from '../../../domain/provider/provider-id.ts';
import { listOpenAuctions } from '../../../projections/auctions/queries.ts';
import type { EnclaveOutputs } from '../../artifacts/enclave-outputs.ts';
import { createBidDesk } from '../../bidding/bid-desk.ts';
import { bidIdOf } from '../../bidding/bid-id.ts';
import { createBidNews } from '../../bidding/bid-news.ts';
import { createBidViews } from '../../bidding/bid-views.ts';
import { foldsOf } from '../../event-store/folds.ts';
import { standingOf } from '../../keys/standing.ts';
import type { ArtifactRef, EngineHandlers } from '../../p2p/engine-handlers.ts';
import type { Admission } from '../../providers/admission.ts';
import type { Providers } from '../../providers/providers.ts';
import { memoryWindows } from '../../rate-limits/windows.ts';
import { announcementOf } from './announcement.ts';

export interface MeshHandlerDeps {
  readonly admission: Admission;
  readonly providers: Providers;
  readonly lifecycles: Lifecycles;
  readonly sealing: Sealing;
  readonly store: EventStore;
  readonly artifacts: Artifacts;
  readonly outputs: EnclaveOutputs;
  readonly pool: Pool;
  readonly now: () => string;
  /** A node is there: what waits for nodes may go on. */
  readonly nodeJoined: () => void;
  readonly neighbourhood: EngineHandlers['neighbourhood'];
  /** TOPS of one H200. */
  readonly tRef: number;
  /** The log of the process: refused joins leave a line here and nothing elsewhere. */
  readonly log: { info(fields: object, message: string): void };
}

/** Refused joins a minute of one network that are logged. */
const REFUSALS_LOGGED = 60;
const OUTPUT_TYPE = 'application/octet-stream';

/** What the engine does with what nodes say. Its decisions rest on the log, not on a read model that may lag. */
export const createMeshHandlers = (deps: MeshHandlerDeps): EngineHandlers => {
  const {
    admission,
    providers,
    lifecycles,
    sealing,
    store,
    artifacts,
    outputs,
    pool,
    now,
    nodeJoined,
    neighbourhood,
    log,
    tRef,
  } = deps;

  const folds = foldsOf(store);

  const desk = createBidDesk({
    lifecycles,
    tRef,
    sealing,
    // A node bids as itself; nobody bids by owner here.
    ...createBidViews({ store, providers, providersOf: () => Promise.resolve([]), now }),
  });

  /** The enclave, when it is the provider's, and its state. */
  const enclaveFor = async (
    providerId: string,
    { enclaveId }: ArtifactRef,
  ): Promise<Result<{ readonly enclave: Enclave; readonly state: string }>> => {
    const folded = await folds.stream(enclaveId);
    const enclave = folded?.context as Enclave | undefined;
    if (!folded || enclave?.providerId !== providerId)
      return reject('RESOURCE_NOT_FOUND', 'no such enclave on this node');
    return ok({ enclave, state: stateName(folded.value) });
  };

  /** Refuses the nodes of an owner from whom the role was withdrawn, as the API's routes do. */
  const withdrawn = async (owner: string): Promise<Rejection | null> => {
    const standing = await standingOf(pool, owner);
    return standing?.roles.includes('provider')
      ? null
      : reject('AUTHORIZATION_FAILED', 'the owner of this node no longer has the role provider');
  };

  /** A line for each, up to a number a minute from one network: nobody fills the log by being refused. */
  const lines = memoryWindows();
  const logRefusal = async (publicKey: string, network: string, refused: Rejection): Promise<void> => {
    const { admitted, remaining } = await lines.spend(network, REFUSALS_LOGGED);
    if (!admitted) return;
    const { code, message: reason } = refused;
    const last = remaining === 0 ? { more: 'not logged within this minute' } : {};
    log.info({ publicKey, network, code, reason, ...last }, 'a join was refused');
  };

  return {
    async join(publicKey, join, ask, addressPrefix) {
      const known = await providers.find(providerIdOf(publicKey));
      const refusal = known && (await withdrawn(known.owner));
      const joined = refusal ?? (await admission.join(publicKey, join, ask, addressPrefix));
      if (joined.ok) nodeJoined();
      else await logRefusal(publicKey, addressPrefix, joined);
      return joined;
    },

    async bid(providerId, { auctionId, price }) {
      const provider = await providers.find(providerId);
      if (!provider) return reject('AUTHORIZATION_FAILED', 'only a registered provider bids');
      const refusal = await withdrawn(provider.owner);
      if (refusal) return refusal;
      const bidId = bidIdOf(auctionId, providerId);
      const meta = {
        commandId: bidId,
        actor: provider.owner,
        correlationId: auctionId,
        causationId: bidId,
        traceparent: null,
      };
      return desk.placeBid({ auctionId, providerId, price, meta });
    },

    bidOutcome: createBidNews({ store }),

    async fetchArtifact(providerId, ref) {
      const found = await enclaveFor(providerId, ref);
      if (!found.ok) return found;
      const { codeHash, work } = found.value.enclave;
      if (ref.sha256 !== codeHash && ref.sha256 !== work?.inputHash) {
        return reject('RESOURCE_NOT_FOUND', 'not an artefact of this enclave');
      }
      const bytes = await artifacts.read(ref.sha256);
      return bytes ? ok(bytes) : reject('RESOURCE_NOT_FOUND', `no artefact ${ref.sha256}`);
    },

    async storeOutput(providerId, ref, bytes) {
      const found = await enclaveFor(providerId, ref);
      if (!found.ok) return found;
      const { enclave, state } = found.value;
      if (state !== 'running') return reject('CONFLICT', 'an enclave stores its output while it runs');
      if (!(await outputs.claim(ref.enclaveId, ref.sha256)))
        return reject('CONFLICT', 'an enclave has one output, and this one has stored another');
      await artifacts.put(bytes, enclave.submitter, OUTPUT_TYPE);
      return ok(null);
    },

    async openAuctions() {
      const rows = await listOpenAuctions(pool);
      const auctions = await Promise.all(rows.map(({ auctionId }) => folds.stream(auctionId)));
      return auctions
        .flatMap((auction) => (auction && stateName(auction.value) === 'open' ? [auction] : []))
        .map(({ context }) => announcementOf(context as Auction));
    },

    neighbourhood,

    async providerSeen(providerId, presence, missedHeartbeats, lastSeen) {
      const outcome = await providers.execute(
        providerId,
        { type: 'see', presence, missedHeartbeats },
        { actor: 'engine', commandId: `${providerId}/${presence}/${lastSeen}` },
      );
      if (!outcome.ok) throw new Error(`${providerId}: ${outcome.message}`);
    },
  };
};
