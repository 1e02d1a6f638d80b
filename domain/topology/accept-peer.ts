/** A verified draw, as far as connections ask for it. */
export interface VerifiedDraw {
  readonly epoch: number;
  readonly nodeId: string;
  /** Node ids. */
  readonly neighbours: readonly string[];
}

/**
 * Whether a draw of `epoch` holds connections in the epoch `current`: in its own epoch and in the next. At each change the
 * older half of a node's neighbours goes and a new half comes, so no change of epoch cuts the mesh.
 */
const holds = (epoch: number, current: number): boolean => epoch === current || epoch === current - 1;

/**
 * Whether two nodes may be connected in the epoch `current`: a draw in force of one lists the other. It does not matter
 * whose, so both ends come to the same answer from the same draws.
 */
export const mayConnect = (a: string, b: string, draws: readonly VerifiedDraw[], current: number): boolean =>
  a !== b &&
  draws.some(
    ({ epoch, nodeId, neighbours }) =>
      holds(epoch, current) &&
      ((nodeId === a && neighbours.includes(b)) || (nodeId === b && neighbours.includes(a))),
  );

/** The nodes that may be connected to `nodeId` in the epoch `current`, in order of their ids. */
export const connectable = (
  nodeId: string,
  draws: readonly VerifiedDraw[],
  current: number,
): readonly string[] => {
  const named = new Set(draws.flatMap((draw) => [draw.nodeId, ...draw.neighbours]));
  return [...named].filter((other) => mayConnect(nodeId, other, draws, current)).sort();
};
