import './stack-depth.ts';

export { askNode } from './ask-node.ts';
export { auction } from './auction.ts';
export { enclave } from './enclave.ts';
export { job } from './job.ts';
export { observeRound } from './observe-round.ts';
export { openEpochs } from './open-epochs.ts';
export { predicate } from './predicate.ts';
export { quorum } from './quorum.ts';
export { topology } from './topology.ts';
