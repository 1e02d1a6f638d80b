import type { Route } from '../define-route.ts';
import type { RouteDependencies } from '../dependencies.ts';
import { getArtifact } from './artifacts/get.ts';
import { putArtifact } from './artifacts/put.ts';
import { removeArtifact } from './artifacts/remove.ts';
import { getAuctionState } from './auctions/get.ts';
import { getQuote } from './auctions/get-quote.ts';
import { openAuction } from './auctions/open.ts';
import { placeBid } from './auctions/place-bid.ts';
import { postQuote } from './auctions/post-quote.ts';
import { getJwks } from './auth/jwks.ts';
import { postToken } from './auth/token.ts';
import { attest } from './enclaves/attest.ts';
import { createEnclave } from './enclaves/create.ts';
import { getTeeStatus } from './enclaves/status.ts';
import { terminateEnclave } from './enclaves/terminate.ts';
import { listEvents } from './events/list.ts';
import { getQueue } from './jobs/queue.ts';
import { getJobStatus } from './jobs/status.ts';
import { submitJob } from './jobs/submit.ts';
import { getAccount } from './ledger/account.ts';
import { creditAccount } from './ledger/credit.ts';
import { getAnchors } from './log/anchors.ts';
import { getCheckpoint } from './log/checkpoint.ts';
import { getConsistency } from './log/consistency.ts';
import { getEntries } from './log/entries.ts';
import { getInclusion } from './log/proof.ts';
import { getTile } from './log/tile.ts';
import { auditPredicates } from './predicates/audit.ts';
import { getPredicateFile } from './predicates/files.ts';
import { getPredicates } from './predicates/list.ts';
import { provePredicate } from './predicates/prove.ts';
import { submitPredicate } from './predicates/submit.ts';
import { verifyPredicateProof } from './predicates/verify.ts';
import { anchorProofs } from './proofs/anchor.ts';
import { getProofBatch } from './proofs/batch.ts';
import { generateProof } from './proofs/generate.ts';
import { listObservations } from './proofs/observations.ts';
import { verifyProof } from './proofs/verify.ts';
import { getProviderState } from './providers/get.ts';
import { postBond } from './providers/post-bond.ts';
import { registerProvider } from './providers/register.ts';
import { lockStake } from './providers/stake.ts';
import { unbondStake } from './providers/unstake.ts';
import { withdrawStake } from './providers/withdraw.ts';
import { withdrawBond } from './providers/withdraw-bond.ts';
import { getQuorumStatus } from './quorums/status.ts';
import { getTiers } from './quorums/tiers.ts';
import { validateQuorum } from './quorums/validate.ts';
import { getScore } from './reputation/score.ts';
import { addSubjectKey } from './subjects/add-key.ts';
import { changeSubjectRoles } from './subjects/change-roles.ts';
import { createSubject } from './subjects/create.ts';
import { getSubject } from './subjects/get.ts';
import { listSubjects } from './subjects/list.ts';
import { revokeSubjectKey } from './subjects/revoke-key.ts';
import { getHealth } from './system/health.ts';
import { getInfo } from './system/info.ts';
import { getLive } from './system/live.ts';
import { getMetrics } from './system/metrics.ts';
import { getOpenApi } from './system/openapi.ts';
import { getPrometheus } from './system/prometheus.ts';
import { getReady } from './system/ready.ts';
import { getTopology } from './topologies/figures.ts';
import { getNeighbors } from './topologies/neighbors.ts';
import { selectNeighbors } from './topologies/select.ts';
import { verifySelection } from './topologies/verify.ts';

/** Every route that is served, and so every route that is documented. */
export const createRoutes = (deps: RouteDependencies): readonly Route[] => [
  getHealth(deps),
  getLive(),
  getReady(deps),
  getInfo(deps),
  getMetrics(deps),
  getPrometheus(deps),
  getOpenApi(deps),
  postToken(deps),
  getJwks(deps),
  createSubject(deps),
  listSubjects(deps),
  getSubject(deps),
  changeSubjectRoles(deps),
  addSubjectKey(deps),
  revokeSubjectKey(deps),
  listEvents(deps),
  putArtifact(deps),
  removeArtifact(deps),
  getArtifact(deps),
  registerProvider(deps),
  getProviderState(deps),
  lockStake(deps),
  unbondStake(deps),
  withdrawStake(deps),
  postBond(deps),
  withdrawBond(deps),
  getQuote(deps),
  postQuote(deps),
  openAuction(deps),
  placeBid(deps),
  getAuctionState(deps),
  submitJob(deps),
  getJobStatus(deps),
  getQueue(deps),
  getQuorumStatus(deps),
  validateQuorum(deps),
  getTiers(),
  createEnclave(deps),
  terminateEnclave(deps),
  attest(deps),
  getTeeStatus(deps),
  generateProof(deps),
  anchorProofs(deps),
  verifyProof(deps),
  getProofBatch(deps),
  listObservations(deps),
  getCheckpoint(deps),
  getAnchors(deps),
  getInclusion(deps),
  getConsistency(deps),
  getTile(deps),
  getEntries(deps),
  getScore(deps),
  getNeighbors(deps),
  selectNeighbors(deps),
  getTopology(deps),
  verifySelection(deps),
  submitPredicate(deps),
  getPredicates(deps),
  getPredicateFile(deps),
  verifyPredicateProof(deps),
  auditPredicates(deps),
  ...(deps.devProver ? [provePredicate(deps, deps.devProver)] : []),
  creditAccount(deps),
  getAccount(deps),
];
