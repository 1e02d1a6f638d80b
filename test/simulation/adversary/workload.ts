/** What a job comes to. */
export interface Workload {
  /** Share of the declared work that it comes to. */
  readonly share: number;
  /** How many times as long its module takes as one that stays in the caches: 1 where it is not said. */
  readonly pace?: number;
}
