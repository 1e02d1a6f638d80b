import { fits, type Load, loadOf, type Size, sizeOf } from '../mesh/bid-policy.ts';
import { mostRunsFor } from '../mesh/fuel-rate.ts';
import { TIERS, type TierName } from '../tiers.ts';
import type { ToldCapacity } from './told-capacity.ts';

/** What each winner of a job takes of its node. */
export interface Order {
  readonly tier: TierName;
  readonly requiredTops: number;
  readonly utilization: number;
  readonly durationSeconds: number;
  readonly memoryMb: number;
}

export interface NodeRoom {
  readonly providerId: string;
  readonly owner: string;
  /** As registered and staked for: more is not believed. */
  readonly tops: number;
  /** Null of a node that has not told. */
  readonly told: ToldCapacity | null;
  /** Whether it is there now. */
  readonly isUp: boolean;
  /** What it runs or was awarded. */
  readonly held: readonly Order[];
}

const ANY = Number.POSITIVE_INFINITY;

const sizeAt = ({ told }: NodeRoom, order: Order): Size => ({
  ...sizeOf(order),
  ...(told?.rate ? { mostRuns: mostRunsFor(told.rate, order) } : {}),
});

const loadAt = (node: NodeRoom): Load => loadOf(node.held.map((order) => sizeAt(node, order)));

/** The node's own rule (invariant 15): one feasibility for both, or they would disagree for ever. */
const hasRoom = (node: NodeRoom, load: Load, order: Order): boolean => {
  const { places = ANY, memoryMb = ANY } = node.told ?? {};
  return fits({ maxConcurrent: places }, { tops: node.tops, memoryMb }, load, sizeAt(node, order));
};

const ownersWith = (nodes: readonly NodeRoom[], order: Order): number =>
  new Set(nodes.filter((node) => hasRoom(node, loadAt(node), order)).map(({ owner }) => owner)).size;

/** Runs of this size that fit beside what the node holds, up to `most`. */
const roomLeft = (node: NodeRoom, order: Order, most: number): number => {
  let held = node;
  for (let count = 0; count < most; count++) {
    if (!hasRoom(held, loadAt(held), order)) return count;
    held = { ...held, held: [...held.held, order] };
  }
  return most;
};

/** Most places that are told apart: beyond, a node counts as having plenty. */
const PLENTY = 64;

const kindOf = (order: Order): string => JSON.stringify(order);

/** Awards of any of `kinds` that it takes at least until a node with room has none left for `order`. */
const awardsUntilFull = (node: NodeRoom, left: number, kinds: readonly Order[], order: Order): number => {
  const most = kinds.reduce((worst, kind) => {
    if (kindOf(kind) === kindOf(order)) return Math.max(worst, 1);
    if (!hasRoom(node, loadAt(node), kind)) return worst;
    // What is left over of a place makes one more of the next award.
    const after = roomLeft({ ...node, held: [...node.held, kind] }, order, left);
    return Math.max(worst, left - after + 1);
  }, 0);
  return most === 0 ? ANY : Math.ceil(left / most);
};

/**
 * Owners whose nodes are sure to have room for `order` once all of `pending` have got theirs, wherever that is: as if all that these
 * buy went to the owners with the least room, of whom each gets one member of an order at most.
 */
export const ownersLeft = (nodes: readonly NodeRoom[], pending: readonly Order[], order: Order): number => {
  const kinds = [...new Map(pending.map((each) => [kindOf(each), each])).values()];
  const needs = new Map<string, number>();
  for (const node of nodes) {
    const left = node.isUp ? roomLeft(node, order, PLENTY) : 0;
    if (left === 0) continue;
    needs.set(node.owner, (needs.get(node.owner) ?? 0) + awardsUntilFull(node, left, kinds, order));
  }
  let bought = pending.reduce((sum, { tier }) => sum + TIERS[tier].winners, 0);
  let filled = 0;
  for (const need of [...needs.values()].toSorted((a, b) => a - b)) {
    if (need > bought || need > pending.length) break;
    bought -= need;
    filled++;
  }
  return needs.size - filled;
};

/** Whether the auction of `order` finds bids of enough owners beside those of `pending`, which bids hold nothing for. */
export const hasRoomFor = (nodes: readonly NodeRoom[], pending: readonly Order[], order: Order): boolean =>
  ownersLeft(nodes, pending, order) >= TIERS[order.tier].minimumOwners;

/** Whether it would if nothing else were running, and all nodes were there: otherwise waiting is of no use. */
export const couldHaveRoomFor = (nodes: readonly NodeRoom[], order: Order): boolean =>
  ownersWith(
    nodes.map((node) => ({ ...node, held: [] })),
    order,
  ) >= TIERS[order.tier].minimumOwners;
