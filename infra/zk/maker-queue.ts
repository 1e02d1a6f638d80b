import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startTimeOf } from '../stack/process-identity.ts';

/** Who makes an entry, in a folder of this name: the order of the names is the order of the queue. */
interface Ticket {
  readonly key: string;
  /** Ms since 1970, in 13 digits. */
  readonly since: string;
  readonly host: string;
  readonly pid: number;
  readonly startTime: string;
}

const POLL_MS = 200;

/** Between the fields of a folder's name: in no hash, no host name and no time. */
const FIELD = '~';

const newTicket = (key: string): string =>
  `.${[key, Date.now(), hostname(), process.pid, startTimeOf(process.pid), randomBytes(4).toString('hex')].join(FIELD)}`;

const parseTicket = (name: string): Ticket | null => {
  const [key, since, host, pid, startTime, ...rest] = name.slice(1).split(FIELD);
  if (!name.startsWith('.') || !key || !since || !host || !pid || !startTime || rest.length !== 1)
    return null;
  return { key, since, host, pid: Number(pid), startTime };
};

const isAlive = ({ pid, startTime }: Ticket): boolean => startTimeOf(pid) === startTime;

/** Names of the folders of living makers of `key`, first come first; what dead ones of this host left is removed. */
const livingMakers = async (root: string, key: string): Promise<readonly string[]> => {
  const living: string[] = [];
  for (const name of await readdir(root)) {
    const ticket = parseTicket(name);
    // Nothing is known here of the processes of another host: it makes its own, and the first to finish wins.
    if (ticket?.host !== hostname()) continue;
    if (!isAlive(ticket)) await rm(join(root, name), { recursive: true, force: true });
    else if (ticket.key === key) living.push(name);
  }
  return living.toSorted();
};

/**
 * Waits until nobody else on this host makes the entry `key` under `root`; answers with an empty folder to make it in,
 * which the caller removes or moves away when it is done. It holds across processes, and a maker that was killed holds
 * nobody up. Should two get through at once, for the clock went back, they do the work twice and no harm.
 */
export const takeTurn = async (root: string, key: string): Promise<string> => {
  const own = join(root, newTicket(key));
  await mkdir(own, { recursive: true, mode: 0o700 });
  while ((await livingMakers(root, key))[0] !== basename(own)) await delay(POLL_MS);
  return own;
};
