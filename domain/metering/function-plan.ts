/** How a function is metered. */
export interface FunctionPlan {
  /** What its callers pay for its own instructions, once for each call; null: it pays for them itself, block by block. */
  readonly prepaid: number | null;
  /** Whether it ends the run when no fuel is left: at its entry or, when its callers pay, where it pays for others. */
  readonly checked: boolean;
  /** Bytes of stack that a call of it takes; null where its calls are set aside beforehand. */
  readonly frame: number | null;
}
