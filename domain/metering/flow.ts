import { arityOf, type Block } from './blocks.ts';
import type { Cursor } from './cursor.ts';
import { EDIT, type Edits } from './edits.ts';
import { OP } from './opcodes.ts';
import type { Operands } from './operands.ts';
import { refuse } from './refusal.ts';

/** The charge of the block that a function begins with, and that of code which is never reached. */
const ENTRY = -1;
const DEAD = -2;

/** The open blocks of a function while it is read, whether its code is reached, and which charge each part belongs to. */
export class Flow {
  cost = 0;
  entryCost = 0;
  loops = false;
  dead = false;
  private readonly blocks: Block[] = [];
  /** Place of the open charge among the edits, ENTRY or DEAD. */
  private charge = ENTRY;

  private readonly body: Cursor;
  private readonly edits: Edits;
  private readonly operands: Operands;

  constructor(body: Cursor, edits: Edits, operands: Operands, results: number) {
    this.body = body;
    this.edits = edits;
    this.operands = operands;
    this.push('function', 0, results, ENTRY);
  }

  /** How many blocks are open, the function included. */
  get depth(): number {
    return this.blocks.length;
  }

  /** Adds fuel to the open charge, or to one at another place. */
  pay(cost: number, charge = this.charge): void {
    if (charge === DEAD) return;
    this.cost += cost;
    if (charge === ENTRY) this.entryCost += cost;
    else this.edits.values[charge] = (this.edits.values[charge] as number) + cost;
  }

  beginCharge(kind: number = EDIT.charge): number {
    this.charge = this.dead ? DEAD : this.edits.add(kind, this.body.at);
    return this.charge;
  }

  /** What follows is never reached. */
  die(): void {
    this.dead = true;
    this.charge = DEAD;
    this.operands.cut(this.operands.base);
  }

  private push(
    kind: Block['kind'],
    params: number,
    results: number,
    first: number,
    charge = this.charge,
  ): void {
    const { operands, dead, blocks } = this;
    const height = operands.height;
    const leavesTo = blocks.length;
    blocks.push({
      kind,
      height,
      params,
      results,
      dead,
      charge,
      first,
      second: DEAD,
      joined: false,
      leavesTo,
    });
    operands.base = height;
  }

  /** Opens a `block`, `loop` or `if` whose type has been read. */
  open(opcode: number, { params, results }: { readonly params: number; readonly results: number }): void {
    const { operands, charge } = this;
    if (opcode === OP.if) operands.popObserved(1);
    operands.popObserved(params);
    if (opcode === OP.loop) {
      this.loops ||= !this.dead;
      this.push('loop', params, results, this.beginCharge(EDIT.loop), charge);
    } else if (opcode === OP.if) this.push('if', params, results, this.beginCharge(), charge);
    else this.push('block', params, results, charge);
    operands.pushSettled(params);
  }

  /** A jump that leads out of `depth` blocks may happen here. */
  jump(depth: number): void {
    const at = this.blocks.length - 1 - depth;
    const block = this.blocks[at] ?? refuse('jumps to blocks that are open');
    this.operands.settle(arityOf(block));
    if (this.dead) return;
    block.joined = true;
    this.leave(at);
  }

  /** The innermost block may be left for the end of the block at `place`. */
  leave(place: number): void {
    const block = this.blocks.at(-1);
    if (block && !this.dead) block.leavesTo = Math.min(block.leavesTo, place);
  }

  otherwise(): void {
    const { operands } = this;
    const block = this.blocks.at(-1) ?? refuse('blocks that were opened');
    operands.popObserved(block.results);
    operands.cut(block.height);
    block.joined ||= !this.dead;
    block.kind = 'else';
    this.dead = block.dead;
    operands.pushSettled(block.params);
    block.second = this.beginCharge();
  }

  close(): void {
    const { operands, blocks } = this;
    const block = blocks.pop() ?? refuse('blocks that were opened');
    operands.popObserved(block.results);
    operands.cut(block.height);
    const outer = blocks.at(-1);
    operands.base = outer?.height ?? 0;
    operands.pushSettled(block.results);
    if (!outer) return;
    outer.leavesTo = Math.min(outer.leavesTo, block.leavesTo);
    if (block.kind === 'else') this.shareArms(block);
    this.chargeBehind(block, block.leavesTo < blocks.length);
  }

  /** What both arms of an `if` cost at least is paid before it. */
  private shareArms({ charge, first, second }: Block): void {
    if (first < 0 || second < 0) return;
    const { values } = this.edits;
    const shared = Math.min(values[first] as number, values[second] as number);
    for (const arm of [first, second]) this.pay(-shared, arm);
    this.pay(shared, charge);
  }

  /**
   * Which charge the code behind a block belongs to. A block that is only left through its end is passed exactly as
   * often as it is entered, so what follows is paid together with what comes before it.
   */
  private chargeBehind(block: Block, left: boolean): void {
    // An `if` without `else` is passed by where its condition does not hold; a jump to a loop leads to its head.
    const joined = block.kind === 'if' || (block.kind !== 'loop' && block.joined);
    if (this.dead && !joined) return;
    this.dead = block.dead;
    if (!left) this.charge = block.charge;
    else if (joined) this.beginCharge();
  }
}
