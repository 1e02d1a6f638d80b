import { executeModule } from './execute-module.ts';
import { KNOWN_WORK } from './known-work-module.ts';

/** It calls nothing of WASI, and needs 17 pages. */
const TASK = {
  code: Buffer.from(KNOWN_WORK, 'base64'),
  input: new Uint8Array(0),
  args: [],
  randomSeed: '00'.repeat(32),
  clockStartMs: 0,
  memoryMb: 2,
} as const;

/** Works in this thread until so much fuel is used up. Rejects where this machine does not come to that. */
export const doKnownWork = async (fuel: number): Promise<void> => {
  const { outcome } = await executeModule({ ...TASK, fuelLimit: fuel }, () => undefined);
  if (outcome !== 'fuel_limit') throw new Error(`known work ended by ${outcome}`);
};
