import type { NeighbourVerdict } from './verify-neighbours.ts';

/** A verified draw, as far as connections ask for it. */
export interface VerifiedDraw {
  readonly epoch: number;
  readonly nodeId: string;
  readonly neighbours: readonly string[];
}

/** The verified draw of `epoch`, or null where the verdict is a refusal. */
export const drawOf = (epoch: number, verdict: NeighbourVerdict): VerifiedDraw | null =>
  verdict.valid ? { epoch, nodeId: verdict.nodeId, neighbours: verdict.neighbours } : null;

/**
 * Epochs whose draws hold connections now. A draw holds for its own epoch and the next: at each change the older half
 * of a node's neighbours goes and a new half comes, so that no change of epoch cuts the mesh.
 */
export const epochsInForce = (current: number): readonly number[] => [current, current - 1];

/**
 * Whether two nodes may be connected in the epoch `current`: a draw in force of one lists the other. It does not matter
 * whose, so both ends come to the same answer from the same draws.
 */
export const mayConnect = (a: string, b: string, draws: readonly VerifiedDraw[], current: number): boolean =>
  a !== b &&
  draws.some(
    ({ epoch, nodeId, neighbours }) =>
      epochsInForce(current).includes(epoch) &&
      ((nodeId === a && neighbours.includes(b)) || (nodeId === b && neighbours.includes(a))),
  );
