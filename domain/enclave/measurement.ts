import { sha384, sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson } from '../json.ts';
import type { EnclaveConfig } from './events.ts';

const MODULE_DOMAIN = utf8ToBytes('fog-sim-snp-v1\0');
const HOST_DOMAIN = utf8ToBytes('fog-sim-host-v1\0');
const BOUND_DOMAIN = utf8ToBytes('fog-host-bound-v1\0');

/** Hex SHA-384 of a module: the half of the measurement that the code decides. */
export const moduleSha384 = (wasm: Uint8Array): string => bytesToHex(sha384(wasm));

/**
 * Launch measurement of an enclave: hex SHA-384("fog-sim-snp-v1\0" ‖ SHA-384(wasm) ‖ SHA-384(canonical config)).
 * `moduleDigest` is hex SHA-384 of the module. All three parts have a fixed length, so no two inputs collide by framing.
 */
export const measurementOf = (moduleDigest: string, config: EnclaveConfig): string =>
  bytesToHex(
    sha384(concatBytes(MODULE_DOMAIN, hexToBytes(moduleDigest), sha384(utf8ToBytes(canonicalJson(config))))),
  );

/** Measurement of a node that runs no module yet: what a host attests at its registration. Hex. */
export const HOST_MEASUREMENT: string = bytesToHex(sha384(HOST_DOMAIN));

/** What a report is bound to: SHA-512(nonce ‖ key), both hex of 32 bytes (settled 27). 64 bytes. */
export const reportData = (nonce: string, key: string): Uint8Array =>
  sha512(concatBytes(hexToBytes(nonce), hexToBytes(key)));

/**
 * What a report of real hardware is bound to. The hardware measures the host's image rather than a module, so the image
 * vouches for the module by putting its measurement into the report data: SHA-512(domain ‖ measurement ‖ data).
 * `measurement`: hex of 48 bytes; `data`: the 64 bytes that are to be bound. 64 bytes.
 */
export const hostReportData = (measurement: string, data: Uint8Array): Uint8Array =>
  sha512(concatBytes(BOUND_DOMAIN, hexToBytes(measurement), data));
