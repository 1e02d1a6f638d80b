import { readFile } from 'node:fs/promises';
import solc from 'solc';
import { type AbiEvent, type AbiFunction, toEventSelector, toFunctionSelector } from 'viem';
import { expect, it } from 'vitest';
import { ANCHORED_TOPIC } from '../../verify/anchor.ts';
import { ABI, BYTECODE } from './contract.ts';

interface Output {
  readonly errors?: readonly { readonly formattedMessage: string }[];
  readonly contracts: {
    readonly [file: string]: {
      readonly [name: string]: {
        readonly abi: readonly unknown[];
        readonly evm: { readonly bytecode: { readonly object: string } };
      };
    };
  };
}

const compile = (source: string) => {
  const settings = {
    evmVersion: 'cancun',
    optimizer: { enabled: true, runs: 200 },
    metadata: { appendCBOR: false, bytecodeHash: 'none' },
    outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
  };
  const input = { language: 'Solidity', sources: { 'a.sol': { content: source } }, settings };
  const { errors = [], contracts } = JSON.parse(solc.compile(JSON.stringify(input))) as Output;
  expect(errors.map(({ formattedMessage }) => formattedMessage)).toEqual([]);
  const contract = contracts['a.sol']?.['CheckpointAnchor'];
  return {
    contract: 'CheckpointAnchor',
    compiler: solc.version(),
    evmVersion: settings.evmVersion,
    abi: contract?.abi,
    bytecode: `0x${contract?.evm.bytecode.object}`,
  };
};

it('is the compiled source, byte for byte', async () => {
  const source = await readFile(new URL('./CheckpointAnchor.sol', import.meta.url), 'utf8');
  // After a change of the source: vitest run <this file> -u
  await expect(`${JSON.stringify(compile(source), null, 2)}\n`).toMatchFileSnapshot(
    './CheckpointAnchor.json',
  );
});

it('is called by the interface that was compiled', async () => {
  const artefact = JSON.parse(await readFile(new URL('./CheckpointAnchor.json', import.meta.url), 'utf8'));
  const { abi, bytecode } = artefact as { abi: AbiItems; bytecode: string };
  expect(BYTECODE).toBe(bytecode);
  expect(selectorsOf(ABI)).toEqual(selectorsOf(abi));
  expect(selectorsOf(ABI)).toContain(ANCHORED_TOPIC);
});

type AbiItems = readonly (AbiFunction | AbiEvent | { readonly type: 'constructor' | 'error' })[];

const selectorsOf = (abi: AbiItems): string[] =>
  abi
    .flatMap((item) => {
      if (item.type === 'function') return [toFunctionSelector(item)];
      return item.type === 'event' ? [toEventSelector(item)] : [];
    })
    .sort();
