export type { Enclave, FinishedRun } from './enclave.ts';
export { createEnclaveHost, type EnclaveHost, type EnclaveHostOptions, type EnclaveOrder } from './host.ts';
export { inspectModule, type ModuleInfo } from './inspect-module.ts';
export type { RunOrder } from './protocol.ts';
