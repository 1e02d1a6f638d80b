import { ed25519 } from '@noble/curves/ed25519.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { nodeSha256 } from '../../../infra/tlog/hashes.ts';
import { exportText, logOf, signer } from '../../../infra/verify/export/export.fixture.ts';
import { verifyCheckpoint, verifyExport } from '../../../infra/verify/index.ts';
import { parseNote, parseNoteKey } from '../../../infra/verify/note.ts';
import { type Case, cpuTime } from '../harness.ts';

const EVENTS = 10_000;
const MEASURE_MS = 200;

const log = logOf(EVENTS);

/** A whole exported log, beside what no verifier can do without: three SHA-256 an event, and reading its JSON. */
const verifyLog = (): Case => {
  const source = utf8ToBytes(exportText(log));
  const entries = log.envelopes.map((envelope) => utf8ToBytes(envelope));
  const decoder = new TextDecoder();
  const pair = new Uint8Array(65);
  const perSecond = async (work: () => unknown): Promise<number> => {
    const { value } = await cpuTime(MEASURE_MS, work);
    return (EVENTS * 1000) / value;
  };
  return {
    name: 'log-verify',
    unit: 'events per CPU second',
    ours: () =>
      perSecond(async () => {
        const { valid } = await verifyExport({ source, publicKey: signer.publicKey, sha256: nodeSha256 });
        if (!valid) throw new Error('the log does not verify');
      }),
    baseline: () =>
      perSecond(() => {
        for (const entry of entries) {
          nodeSha256(entry);
          nodeSha256(pair);
          nodeSha256(pair);
          JSON.parse(decoder.decode(entry));
        }
      }),
  };
};

/** A checkpoint, beside the bare check of its signature. */
const verifyHead = (): Case => {
  const checkpoint = log.checkpoint();
  const { text, signatures } = parseNote(checkpoint);
  const { publicKey } = parseNoteKey(signer.publicKey);
  const message = utf8ToBytes(text);
  const signature = signatures[0]?.signature as Uint8Array;
  return {
    name: 'checkpoint-verify',
    unit: 'CPU ms',
    ours: () => cpuTime(MEASURE_MS, () => verifyCheckpoint({ checkpoint, publicKey: signer.publicKey })),
    baseline: () =>
      cpuTime(MEASURE_MS, () => ed25519.verify(signature, message, publicKey, { zip215: false })),
  };
};

export const logCases = (): Case[] => [verifyLog(), verifyHead()];
