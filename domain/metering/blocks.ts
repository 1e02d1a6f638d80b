/** A block that is open while a function is read. */
export interface Block {
  kind: 'function' | 'block' | 'loop' | 'if' | 'else';
  /** Operands below it. */
  readonly height: number;
  readonly params: number;
  readonly results: number;
  /** Whether the code before it is never reached. */
  readonly dead: boolean;
  /** Place of the charge that was open before it. */
  readonly charge: number;
  /** Place of the charge that its code, or the first arm of an `if`, begins with. */
  readonly first: number;
  /** The same for the second arm. */
  second: number;
  /** Whether a jump that can happen leads to its end. */
  joined: boolean;
  /** The outermost block that a jump from inside leads to the end of, as a place among the open blocks. */
  leavesTo: number;
}

/** How many values a jump to the block carries. */
export const arityOf = (block: Block): number => (block.kind === 'loop' ? block.params : block.results);
