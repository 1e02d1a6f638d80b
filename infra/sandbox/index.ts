export { createEnclaveHost, type EnclaveHost } from './host.ts';
