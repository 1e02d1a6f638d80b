/** The verification library for auditors: pure, no I/O, runs in Node and in a browser. */
export type { VerificationStep } from '../../domain/enclave/events.ts';
export type { EpochCommitment } from '../../domain/topology/draw.ts';
export type { NeighbourSelection } from '../../domain/topology/selection.ts';
export type { SelectionJson } from '../../domain/topology/selection-json.ts';
export type { NeighbourFault, NeighbourVerdict } from '../../domain/topology/verify-neighbours.ts';
export type { EcvrfSuite } from '../../domain/vrf/suite.ts';
export { type EcvrfInput, ecvrfVerify } from '../../domain/vrf/verify.ts';
export {
  type AnchorCode,
  type AnchorEvidence,
  type AnchorInput,
  type AnchorVerdict,
  verifyAnchor,
} from './anchor.ts';
export { type AttestationInput, verifyAttestation } from './attestation.ts';
export {
  type AvailabilityProofContext,
  type AvailabilityProofVerdict,
  verifyAvailabilityProof,
} from './availability-proof.ts';
export {
  type CheckpointCode,
  type CheckpointInput,
  type CheckpointVerdict,
  type TreeHead,
  verifyCheckpoint,
} from './checkpoint.ts';
export type { Now } from './clock.ts';
export { type ConsistencyProof, verifyConsistency } from './consistency.ts';
export type { KeyCollateral } from './cose/key.ts';
export type { DcapCollateral } from './dcap/collateral.ts';
export type { TcbStatus, TcbVerdict } from './dcap/tcb-status.ts';
export { verifyEvidence } from './evidence.ts';
export {
  type ProofContext,
  type ProofExpectation,
  type ProofPolicy,
  type ProofVerdict,
  verifyExecutionProof,
} from './execution-proof.ts';
export type { AnchorStatus, ExportedAnchorVerdict, KnownAnchoring } from './export/anchors.ts';
export type { ByteSource } from './export/lines.ts';
export { type ExportInput, type ExportVerdict, verifyExport } from './export/verify.ts';
export type { EntryCode, EntryFault } from './export/walk.ts';
export { keyHashOf, type VerificationKey } from './groth16/key.ts';
export { type Groth16Proof, groth16Verdict } from './groth16/verify.ts';
export { type InclusionProof, verifyInclusion } from './inclusion.ts';
export { verifyNeighbours } from './neighbours.ts';
export type { ObserverPolicy } from './observers.ts';
export type { AttestationExpectation, AttestationPolicy, BytesOrHex } from './policy.ts';
export { type PredicateInput, type PredicateVerdict, verifyPredicate } from './predicate.ts';
export {
  AMD_ROOTS,
  ATTESTATION_FORMATS,
  type AttestationFormat,
  INTEL_ROOTS,
  type TrustedRoot,
  VENDOR_ROOTS,
} from './roots.ts';
export type { SnpCollateral } from './sev-snp/chain.ts';
export { type SlaProofContext, type SlaProofVerdict, verifySlaProof } from './sla-proof.ts';
export type { U64 } from './u64.ts';
export type { AttestationVerdict } from './verdict.ts';
