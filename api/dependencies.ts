import type { Artifacts, Uploads } from '../domain/ports/artifacts.ts';
import type { EventStore } from '../domain/ports/event-store.ts';
import type { Lifecycles } from '../domain/ports/lifecycles.ts';
import type { MeteredModules } from '../domain/ports/metered-modules.ts';
import type { AnchoredHeads } from '../infra/anchor/anchored.ts';
import type { MeteringOf } from '../infra/artifacts/metering-of.ts';
import type { BidDesk } from '../infra/bidding/bid-desk.ts';
import type { Bookkeeper } from '../infra/journal/journal.ts';
import type { Credentials } from '../infra/keys/credentials.ts';
import type { Nonces } from '../infra/keys/nonces.ts';
import type { QuoteTokens } from '../infra/keys/quote-tokens.ts';
import type { Signer } from '../infra/keys/signer.ts';
import type { Subjects } from '../infra/keys/subjects.ts';
import type { ObservationEvidence } from '../infra/observation/evidence.ts';
import type { NeighbourReport } from '../infra/p2p/heartbeats.ts';
import type { Attestor } from '../infra/providers/attestor.ts';
import type { Bonds } from '../infra/providers/bonds.ts';
import type { Providers } from '../infra/providers/providers.ts';
import type { Places } from '../infra/quota/places.ts';
import type { Inspection } from '../infra/sandbox/inspection.ts';
import type { SlaCredits } from '../infra/sla/sla-credits.ts';
import type { TransparencyLog } from '../infra/tlog/transparency-log.ts';
import type { CandidateSets } from '../infra/topology/candidate-sets.ts';
import type { Drawer } from '../infra/topology/drawer.ts';
import type { Verifier } from '../infra/verification/verifier.ts';
import type { TrustedRoot } from '../infra/verify/index.ts';
import type { Acceptances } from '../infra/zk/acceptances.ts';
import type { DevProver } from '../infra/zk/dev-prover.ts';
import type { PublishedKeys } from '../infra/zk/published-keys.ts';
import type { Checkpoints } from '../projections/checkpoints.ts';
import type { Session } from '../projections/projection.ts';
import type { SignIn } from './auth/sign-in.ts';
import type { Health } from './health.ts';
import type { Ownership } from './log-access/ownership.ts';
import type { VisibleLog } from './log-access/visible-log.ts';
import type { LagProbe, Metrics } from './metrics.ts';
import type { ChainHashes } from './routes/events/list.ts';
import type { Build } from './routes/system/info.ts';
import type { Watch } from './watch.ts';

/** What the routes of the topology need. */
export interface TopologyDependencies {
  readonly network: string;
  readonly sets: Pick<CandidateSets, 'load'>;
  readonly drawer: Drawer;
  /** Whom a node itself says it is connected to; null before it said anything. */
  readonly reported: (providerId: string) => Promise<NeighbourReport | null>;
}

/** Everything the routes need. Each route takes the part that it uses. */
export interface RouteDependencies {
  /** Predicate proofs, each accepted once. */
  readonly acceptances: Acceptances;
  readonly anchored: AnchoredHeads;
  /** Whether there is a chain to anchor on. */
  readonly anchoring: boolean;
  readonly artifacts: Artifacts & Uploads;
  /** Open auctions of a submitter (settled 41). */
  readonly auctionPlaces: Places;
  readonly waitingPlaces: Places;
  readonly attestor: Attestor;
  readonly bidDesk: BidDesk;
  readonly bonds: Bonds;
  readonly books: Bookkeeper;
  readonly build: Build;
  readonly chainHashes: ChainHashes;
  readonly checkpoints: Pick<Checkpoints, 'waitFor' | 'shows'>;
  readonly credentials: Credentials;
  /** Read models. */
  readonly db: Session;
  /** Proves for holders who show their secrets; null unless switched on. */
  readonly devProver: DevProver | null;
  /** Enclaves without a job, of their creator (settled 41). */
  readonly enclavePlaces: Places;
  /** The OpenAPI document as JSON text. */
  readonly document: () => Promise<string>;
  readonly health: Health;
  readonly inspectModule: Inspection;
  readonly lag: LagProbe;
  readonly lifecycles: Lifecycles;
  readonly meteredModules: MeteredModules;
  readonly meteringOf: MeteringOf;
  readonly metrics: Metrics;
  readonly nonces: Nonces;
  readonly now: () => string;
  /** What the engine's own nodes have observed. */
  readonly observed: ObservationEvidence;
  /** Principals that a stream belongs to. */
  readonly ownersOf: Ownership['ownersOf'];
  readonly providers: Providers;
  readonly publishedKeys: PublishedKeys;
  readonly quotes: QuoteTokens;
  readonly queues: () => Promise<Readonly<Record<string, number>>>;
  /** Refuses simulated roots altogether (settled 28). */
  readonly requireHardware: boolean;
  readonly roots: readonly TrustedRoot[];
  readonly signer: Signer;
  readonly signIn: SignIn;
  readonly slaCredits: SlaCredits;
  readonly store: EventStore;
  readonly subjects: Subjects;
  readonly topology: TopologyDependencies;
  /** Reference throughput of one H200 that new quotes are priced by, TOPS (D1). */
  readonly tRef: number;
  readonly transparency: TransparencyLog;
  readonly verifier: Pick<Verifier, 'verify'>;
  readonly visibleLog: VisibleLog;
  readonly watch: Watch;
}
