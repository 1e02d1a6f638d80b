/** A draw as an edge list: each neighbour drawn is an undirected link. */
export interface Links {
  readonly nodeId: string;
  readonly neighbours: readonly string[];
}

/** What tells a mesh that holds together from one that does not. */
export interface GraphFigures {
  readonly nodes: number;
  /** Links per node. */
  readonly averageDegree: number;
  /** Longest shortest path, in links; null where some nodes cannot reach each other. */
  readonly diameter: number | null;
  /** False where the graph is so large that only a lower bound was looked for. */
  readonly diameterIsExact: boolean;
  /** 1 − λ₂ of the normalised adjacency: 0 for a graph in parts, at least 0.2 for a good mesh. */
  readonly spectralGap: number;
  /** Largest k such that some nodes have k links each among themselves. */
  readonly kCore: number;
}

/** Searches for the diameter start from each node up to here, beyond from this many. */
const EXACT_NODES = 2048;
const STARTS = 16;
const MOST_ITERATIONS = 2_000;
const PRECISION = 1e-8;

/** Neighbours by index, without double links. */
type Graph = readonly (readonly number[])[];

const graphOf = (draws: readonly Links[], members: Iterable<string>): Graph => {
  const indexOf = new Map<string, number>();
  const sets: Set<number>[] = [];
  const place = (nodeId: string): number => {
    const known = indexOf.get(nodeId);
    if (known !== undefined) return known;
    indexOf.set(nodeId, sets.length);
    return sets.push(new Set()) - 1;
  };
  for (const member of members) place(member);
  for (const { nodeId, neighbours } of draws) {
    const from = place(nodeId);
    for (const to of neighbours.map(place)) {
      if (to === from) continue;
      sets[from]?.add(to);
      sets[to]?.add(from);
    }
  }
  return sets.map((set) => [...set]);
};

/** Links to the farthest node from `start`, and how many nodes can be reached. Breadth first. */
const reachFrom = (graph: Graph, start: number): { readonly depth: number; readonly reached: number } => {
  const distance = new Int32Array(graph.length).fill(-1);
  const queue = [start];
  distance[start] = 0;
  for (const node of queue) {
    for (const next of graph[node] ?? []) {
      if (distance[next] !== -1) continue;
      distance[next] = (distance[node] as number) + 1;
      queue.push(next);
    }
  }
  return { depth: distance[queue.at(-1) as number] as number, reached: queue.length };
};

const diameterOf = (graph: Graph): number | null => {
  const starts = graph.length <= EXACT_NODES ? graph.length : STARTS;
  let longest = 0;
  for (let start = 0; start < starts; start++) {
    const { depth, reached } = reachFrom(graph, start);
    if (reached < graph.length) return null;
    longest = Math.max(longest, depth);
  }
  return longest;
};

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] as number) * (b[index] as number);
  return sum;
};

/** `vector` + `share` · `other`, in place. */
const addShare = (vector: Float64Array, share: number, other: Float64Array): void => {
  for (let index = 0; index < vector.length; index++)
    vector[index] = (vector[index] as number) + share * (other[index] as number);
};

const scaled = (vector: Float64Array, factor: number): Float64Array => vector.map((value) => value * factor);

/**
 * Power iteration on (I + D^-½ A D^-½) / 2, whose eigenvalues lie in [0, 1], beside its first eigenvector √degree. The
 * start is fixed, so the same graph always has the same figure.
 */
const spectralGapOf = (graph: Graph): number => {
  if (graph.length < 2 || graph.some((links) => links.length === 0)) return 0;
  const weight = Float64Array.from(graph, (links) => 1 / Math.sqrt(links.length));
  const root = weight.map((value) => 1 / value);
  const first = scaled(root, 1 / Math.sqrt(dot(root, root)));
  const times = (vector: Float64Array): Float64Array => {
    const result = new Float64Array(vector.length);
    const weighted = vector.map((value, index) => value * (weight[index] as number));
    for (let index = 0; index < result.length; index++) {
      let sum = 0;
      for (const link of graph[index] as readonly number[]) sum += weighted[link] as number;
      result[index] = ((vector[index] as number) + sum * (weight[index] as number)) / 2;
    }
    return result;
  };
  // Irrational steps: no symmetry of a graph makes it orthogonal to what is sought.
  let vector: Float64Array = Float64Array.from(graph, (_, index) => ((index * Math.SQRT2) % 1) - 0.5);
  let eigenvalue = 0;
  for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
    addShare(vector, -dot(vector, first), first);
    const length = Math.sqrt(dot(vector, vector));
    // Nothing is left beside the first: all others are zero.
    if (length < Number.EPSILON) break;
    const unit = scaled(vector, 1 / length);
    vector = times(unit);
    const next = dot(vector, unit);
    const settled = Math.abs(next - eigenvalue) < PRECISION;
    eigenvalue = next;
    if (settled) break;
  }
  return Math.max(0, 2 * (1 - eigenvalue));
};

/** By taking away the node of fewest links, again and again, in buckets by degree: linear in the links. */
const kCoreOf = (graph: Graph): number => {
  const degree = graph.map((links) => links.length);
  const buckets: number[][] = [];
  degree.forEach((links, node) => {
    (buckets[links] ??= []).push(node);
  });
  const taken = new Uint8Array(graph.length);
  let core = 0;
  for (let level = 0; level < buckets.length; ) {
    const node = buckets[level]?.pop();
    if (node === undefined) {
      level++;
      continue;
    }
    if (taken[node] === 1 || degree[node] !== level) continue;
    taken[node] = 1;
    core = Math.max(core, level);
    for (const next of graph[node] ?? []) {
      const links = degree[next] as number;
      if (taken[next] === 1 || links <= level) continue;
      degree[next] = links - 1;
      (buckets[links - 1] ??= []).push(next);
    }
  }
  return core;
};

/** Figures of the graph that `draws` span over `members` (nodes without a draw included). */
export const graphFigures = (draws: readonly Links[], members: Iterable<string>): GraphFigures => {
  const graph = graphOf(draws, members);
  const nodes = graph.length;
  const links = graph.reduce((sum, neighbours) => sum + neighbours.length, 0);
  return {
    nodes,
    averageDegree: nodes === 0 ? 0 : links / nodes,
    diameter: diameterOf(graph),
    diameterIsExact: nodes <= EXACT_NODES,
    spectralGap: spectralGapOf(graph),
    kCore: kCoreOf(graph),
  };
};
