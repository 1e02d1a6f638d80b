export { leanJob } from './lean-shape.ts';
export { auction, enclave, job, quorum } from './old-shape.ts';
