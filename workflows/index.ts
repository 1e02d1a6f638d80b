export { askNode } from './ask-node.ts';
export { auction } from './auction.ts';
export { enclave } from './enclave.ts';
export { job } from './job.ts';
export { quorum } from './quorum.ts';
