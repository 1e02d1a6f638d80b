import { ERRNO, STDERR } from './abi.ts';
import { GuestError, type GuestMemory } from './guest-memory.ts';
import type { VirtualClock } from './virtual-clock.ts';

const SUBSCRIPTION_SIZE = 48;
const EVENT_SIZE = 32;
const CLOCK = 0;
const ABSOLUTE = 1;
const MOST_SUBSCRIPTIONS = 1024;

interface Subscription {
  readonly userdata: bigint;
  readonly tag: number;
  readonly errno: number;
  /** Of a clock: which, and when it is due. */
  readonly clock: number;
  readonly due: bigint;
}

const readSubscription = (memory: GuestMemory, at: number, clock: VirtualClock): Subscription => {
  const userdata = memory.readU64(at);
  const tag = memory.readU8(at + 8);
  const id = memory.readU32(at + 16);
  if (tag !== CLOCK)
    return { userdata, tag, errno: id > STDERR ? ERRNO.badf : ERRNO.success, clock: 0, due: 0n };
  const timeout = memory.readU64(at + 24);
  const now = clock.read(id);
  if (now === null) return { userdata, tag, errno: ERRNO.inval, clock: 0, due: 0n };
  const absolute = (memory.readU16(at + 40) & ABSOLUTE) !== 0;
  return { userdata, tag, errno: ERRNO.success, clock: id, due: absolute ? timeout : now + timeout };
};

/**
 * `poll_oneoff` in virtual time: a standard stream is always ready, and a sleep passes at once by moving the clock.
 * `pay` is told how many subscriptions there are, before they are read.
 * @throws GuestError EINVAL for none or too many subscriptions, EFAULT.
 */
export const pollOneoff = (
  memory: GuestMemory,
  clock: VirtualClock,
  [subscriptions = 0, events = 0, count = 0, counted = 0]: readonly number[],
  pay: (subscriptions: number) => void,
): number => {
  if (count < 1 || count > MOST_SUBSCRIPTIONS) throw new GuestError(ERRNO.inval);
  pay(count);
  const all = Array.from({ length: count }, (_, index) =>
    readSubscription(memory, subscriptions + index * SUBSCRIPTION_SIZE, clock),
  );
  const immediate = all.filter((each) => each.tag !== CLOCK || each.errno !== ERRNO.success);
  const sleeps = all.filter((each) => !immediate.includes(each));
  const first = sleeps.reduce<Subscription | null>((a, b) => (a === null || b.due < a.due ? b : a), null);
  const ready = immediate.length > 0 || first === null ? immediate : [first];
  if (ready[0] === first && first !== null) clock.sleepUntil(first.clock, first.due);
  for (const [index, { userdata, errno, tag }] of ready.entries()) {
    const at = events + index * EVENT_SIZE;
    memory.bytes(at, EVENT_SIZE).fill(0);
    memory.u64(at, userdata);
    memory.u16(at + 8, errno);
    memory.bytes(at + 10, 1)[0] = tag;
  }
  memory.u32(counted, ready.length);
  return ERRNO.success;
};
