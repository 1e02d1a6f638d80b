/** What a node says it has for runs. Nobody believes it: where it is wrong, an auction finds too few bids. */
export interface ToldCapacity {
  /** Runs at once. */
  readonly places: number;
  /** MiB. */
  readonly memoryMb: number;
  /** What its machine does (`FuelRate`); null where that is not measured. */
  readonly rate: {
    readonly perSecond: number;
    readonly cores: number;
    readonly startSeconds: number;
  } | null;
}
