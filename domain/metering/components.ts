/**
 * The strongly connected components of a directed graph, by Tarjan's algorithm (SIAM J. Comput. 1(2), 1972) without
 * recursion: a call chain may be as long as a module has functions. Linear in nodes and edges.
 * @param edges the nodes that each node leads to.
 * @returns the components, each after all those that it leads to.
 */
export const components = (edges: readonly (readonly number[])[]): number[][] => {
  const order = new Int32Array(edges.length).fill(-1);
  const low = new Int32Array(edges.length);
  const inStack = new Uint8Array(edges.length);
  const next = new Int32Array(edges.length);
  const [stack, path, found]: [number[], number[], number[][]] = [[], [], []];
  let counter = 0;

  const enter = (node: number): void => {
    order[node] = counter;
    low[node] = counter;
    counter += 1;
    inStack[node] = 1;
    stack.push(node);
    path.push(node);
  };
  const leave = (node: number): void => {
    path.pop();
    const above = path.at(-1);
    if (above !== undefined) low[above] = Math.min(low[above] as number, low[node] as number);
    if (low[node] !== order[node]) return;
    const component = stack.splice(stack.lastIndexOf(node));
    for (const each of component) inStack[each] = 0;
    found.push(component);
  };

  for (let root = 0; root < edges.length; root++) {
    if (order[root] === -1) enter(root);
    for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
      const to = edges[node]?.[next[node] as number];
      next[node] = (next[node] as number) + 1;
      if (to === undefined) leave(node);
      else if (order[to] === -1) enter(to);
      else if (inStack[to] === 1) low[node] = Math.min(low[node] as number, order[to] as number);
    }
  }
  return found;
};
