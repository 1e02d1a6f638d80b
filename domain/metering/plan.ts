import { components } from './components.ts';
import { FRAME_BYTES, PREPAID_FUEL, SLOT_BYTES, STACK_BYTES, UNCHECKED_FUEL } from './costs.ts';
import type { FunctionPlan } from './function-plan.ts';
import type { FunctionType, Module } from './module.ts';
import type { FunctionReading } from './read-function.ts';
import { refuse } from './refusal.ts';

export interface Plan {
  /** By function of the module's own. */
  readonly functions: readonly FunctionPlan[];
  /** Bytes of stack left for what is counted. */
  readonly stack: number;
}

type Facts = Pick<
  FunctionReading,
  'cost' | 'loops' | 'calls' | 'indirect' | 'taken' | 'deepestOperands' | 'localTypes'
>;

const frameOf = ({ localTypes, deepestOperands }: Facts): number =>
  FRAME_BYTES + SLOT_BYTES * (localTypes.length + deepestOperands);

const signature = ({ params, results }: FunctionType): string => `${params.join()}>${results.join()}`;

/**
 * The call graph: functions of the module's own, then one node per signature, which leads to every function of that
 * signature that an indirect call can reach.
 */
const callGraph = (module: Module, facts: readonly Facts[], taken: ReadonlySet<number>): number[][] => {
  const imported = module.imports.length;
  const nodes = new Map<string, number>();
  const edges: number[][] = facts.map(() => []);
  const nodeOf = (type: FunctionType | undefined): number => {
    const key = type ? signature(type) : refuse('known types');
    const known = nodes.get(key);
    if (known !== undefined) return known;
    nodes.set(key, edges.length);
    return edges.push([]) - 1;
  };
  for (const index of taken) {
    const own = index - imported;
    if (own >= 0) edges[nodeOf(module.types[module.functions[own] as number])]?.push(own);
  }
  for (const [index, { calls, indirect }] of facts.entries()) {
    const called = new Set(calls.filter((each) => each >= imported).map((each) => each - imported));
    for (const type of indirect) called.add(nodeOf(module.types[type]));
    for (const to of called) edges[index]?.push(to);
  }
  return edges;
};

/**
 * Decides how each function is metered.
 *
 * Functions that are recursive, or lead to one that is, count their frames while they run. All others together take at
 * most the costliest path through them, which is set aside. A small function without loop is paid by its callers. One that cannot cost much, with all it calls, need not check.
 * @throws Refusal when the call chains without recursion alone need half of the stack.
 */
export const makePlan = (module: Module, facts: readonly Facts[]): Plan => {
  const imported = module.imports.length;
  const taken = new Set([...module.taken, ...facts.flatMap((each) => each.taken)]);
  const entries = new Set([module.start, module.exports.get('_start')?.index]);
  const edges = callGraph(module, facts, taken);
  const functions: FunctionPlan[] = new Array(facts.length);
  /** Fuel of a call with all that it calls, and stack of the costliest path of uncounted frames, by node. */
  const worst = new Float64Array(edges.length);
  const deep = new Float64Array(edges.length);
  const counted = new Uint8Array(edges.length);

  const worstOf = ({ cost, loops, calls, indirect }: Facts): number => {
    let sum = loops || indirect.length > 0 ? Number.POSITIVE_INFINITY : cost;
    for (const called of calls) if (called >= imported) sum += worst[called - imported] as number;
    return sum;
  };
  /** Whoever can be called through a table, or by the sandbox, has no caller that knows what to pay. */
  const prepaidOf = (index: number, { cost, loops }: Facts): number | null => {
    const alone = taken.has(index + imported) || entries.has(index + imported);
    return alone || loops || cost > PREPAID_FUEL ? null : cost;
  };

  for (const component of components(edges)) {
    const [first = 0] = component;
    const recursive = component.length > 1 || (edges[first]?.includes(first) ?? false);
    const leadsTo = component.flatMap((node) => edges[node] ?? []);
    const counts = recursive || leadsTo.some((node) => counted[node] === 1);
    const below = leadsTo.reduce((most, node) => Math.max(most, deep[node] as number), 0);
    for (const node of component) {
      const each = facts[node];
      counted[node] = counts ? 1 : 0;
      deep[node] = counts ? 0 : below + (each ? frameOf(each) : 0);
      if (!each) continue;
      const fuel = recursive ? Number.POSITIVE_INFINITY : worstOf(each);
      worst[node] = fuel;
      functions[node] = {
        prepaid: prepaidOf(node, each),
        checked: fuel > UNCHECKED_FUEL,
        frame: counts ? frameOf(each) : null,
      };
    }
  }
  const aside = deep.reduce((a, b) => Math.max(a, b), 0);
  if (aside > STACK_BYTES / 2)
    refuse(`call chains without recursion of at most ${STACK_BYTES / 2} bytes of stack`);
  return { functions, stack: STACK_BYTES - aside };
};
