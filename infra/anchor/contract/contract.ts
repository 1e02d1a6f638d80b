import { type Hex, parseAbi } from 'viem';
import artefact from './CheckpointAnchor.json' with { type: 'json' };

/** What is called of the contract; the whole interface is in the compiled artefact. */
export const ABI = parseAbi([
  'constructor(address publisher_)',
  'function publisher() view returns (address)',
  'function anchor(bytes32 originHash, uint64 size, bytes32 root)',
  'function last(bytes32 originHash) view returns (uint64 size, uint64 blockNumber, bytes32 root)',
  'event Anchored(bytes32 indexed originHash, uint64 indexed size, bytes32 root)',
  'error NotThePublisher()',
  'error SizeMustGrow(uint64 last, uint64 size)',
]);

/** Creation code, without constructor arguments. */
export const BYTECODE = artefact.bytecode as Hex;
