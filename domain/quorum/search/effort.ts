/**
 * Work that one answer may cost, in steps: a step looks at one candidate of one slot once. Steps are counted, never
 * timed, so the same question ends with the same answer on every machine, however busy (settled: invariant 8).
 */
export interface Effort {
  /** Takes steps off; they may run below zero. */
  spend(steps: number): void;
  left(): number;
  spent(): number;
  /** A part of what is left for one question of several; what it leaves goes back. */
  part(share: number): Effort;
}

export const effortOf = (steps: number, parent?: Effort): Effort => {
  let spent = 0;
  const effort: Effort = {
    spend(count) {
      spent += count;
      parent?.spend(count);
    },
    left: () => steps - spent,
    spent: () => spent,
    part: (share) => effortOf(Math.floor((steps - spent) * share), effort),
  };
  return effort;
};
