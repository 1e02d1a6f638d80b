import type { TcbStatus } from './dcap/tcb-status.ts';
import type { TrustedRoot } from './roots.ts';
import type { SecurityVersions } from './sev-snp/chip.ts';

/** Bytes, or their hex. */
export type BytesOrHex = Uint8Array | string;

/** What a verifier demands beyond a chain that holds. Every default is the strict one. */
export interface AttestationPolicy {
  /**
   * Trust store; the vendors' roots unless given. A simulated root has to be put in on purpose. PSA and CCA keys have
   * no vendor root: without a store the key in the collateral is trusted on the caller's word, with one it must be in it.
   */
  readonly roots?: readonly TrustedRoot[];
  /** Accept a report that a simulated root vouches for. Default false. */
  readonly allowSimulated?: boolean;
  /** Accept what its host may debug. Default false. */
  readonly allowDebug?: boolean;
  /** SEV-SNP: highest (least privileged) VMPL that is accepted. Default 0. */
  readonly maximumVmpl?: number;
  /** Hex measurements that are accepted; any when absent. */
  readonly measurements?: readonly string[];
  /** SGX: hex mrsigner; PSA: hex signer ids of every component. Any when absent. */
  readonly signers?: readonly string[];
  /** SGX: lowest security version of the enclave (ISVSVN) that is accepted. */
  readonly minimumSvn?: number;
  /** SEV-SNP: lowest reported security versions that are accepted; what is not named is not checked. */
  readonly minimumTcb?: Partial<SecurityVersions>;
  /** SGX, TDX: states of the platform's TCB that are accepted beside UpToDate. Default none; Revoked never is. */
  readonly tcbStatuses?: readonly TcbStatus[];
  /** SGX, TDX: Intel advisories that are accepted. Default none. */
  readonly advisories?: readonly string[];
  /** SGX, TDX: oldest TCB evaluation data number of the collateral that is accepted. */
  readonly minimumTcbEvaluation?: number;
}

/** What this one report must say. Absent fields are not demanded, and the result says so. */
export interface AttestationExpectation {
  /** SNP launch measurement (48 bytes), mrenclave (32), mrtd (48), a PSA component's (32 to 64) or a realm's initial. */
  readonly measurement?: BytesOrHex | undefined;
  /** TDX: RTMR0 onwards, 48 bytes each. */
  readonly runtimeMeasurements?: readonly BytesOrHex[] | undefined;
  /** 64 bytes (PSA: 32, 48 or 64); or give `nonce` and `key`. */
  readonly reportData?: BytesOrHex | undefined;
  /** 32 bytes each: report_data must be SHA-512(nonce ‖ key). PSA, CCA: a `nonce` alone is what the token must carry. */
  readonly nonce?: BytesOrHex | undefined;
  readonly key?: BytesOrHex | undefined;
}
