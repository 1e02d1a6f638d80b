import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { multiaddr } from '@multiformats/multiaddr';
import { z } from 'zod';
import { PLATFORMS } from '../../domain/enclave/events.ts';
import { ENCLAVE_LIMITS } from '../../domain/enclave/limits.ts';
import { namedMicro as amount, nameOf, tops } from '../../domain/schema.ts';
import { INFRASTRUCTURE_TYPES } from '../../domain/tiers.ts';

/** The peer id that ends a multiaddr, or null. */
const peerIdIn = (address: string): string | null => {
  try {
    return (
      multiaddr(address)
        .getComponents()
        .findLast((component) => component.name === 'p2p')?.value ?? null
    );
  } catch {
    return null;
  }
};

const isMultiaddr = (address: string): boolean => {
  try {
    multiaddr(address);
    return true;
  } catch {
    return false;
  }
};

const engineAddress = nameOf(256)
  .refine((address) => peerIdIn(address) !== null, 'a multiaddr that ends in /p2p/<peer id of the engine>')
  .transform((address) => ({ address, peerId: peerIdIn(address) as string }));

const OWN_SHARE = 0.75;
const KEEP_BYTES = 256 * 1024 * 1024;

/** `node.json`: who the node is, whom it works for and what its work costs. */
export const nodeConfigSchema = z.object({
  name: nameOf(64),
  /** Principal that is paid and that posts the deposits. */
  owner: nameOf(128),
  infrastructureType: z.enum(INFRASTRUCTURE_TYPES),
  asn: z.int().min(1).max(4_294_967_295),
  region: nameOf(128),
  tops,
  /** Memory that enclaves may have together, MiB; three quarters of the machine's unless told. */
  memoryMb: z
    .int()
    .min(ENCLAVE_LIMITS.memoryMb.min)
    .default(() => Math.floor((totalmem() / 2 ** 20) * OWN_SHARE)),
  platforms: z.array(z.enum(PLATFORMS)).min(1),
  /** Whether it uses the chip of its machine, where there is one. A chip serves one provider: not two nodes of a machine. */
  hardware: z.boolean().default(true),
  /** Engine addresses to dial; each names the key that must answer there. */
  engines: z.array(engineAddress).min(1),
  /** Where it listens for its neighbours; port 0 takes any free one. */
  listen: z
    .array(nameOf(256).refine(isMultiaddr, 'a multiaddr, such as /ip4/127.0.0.1/tcp/0'))
    .max(4)
    .default(['/ip4/127.0.0.1/tcp/0']),
  /** Most bytes of its jobs' artefacts that it keeps beside its configuration; the newest stay. */
  keepBytes: z.int().nonnegative().default(KEEP_BYTES),
  /** Locked at the first join, micro-units. */
  stake: amount,
  costPolicy: z.object({
    pricePerH200Hour: amount,
    floor: amount,
    margin: z.number().min(0).max(100),
    maxConcurrent: z.int().min(1).max(1024),
    /** Waits this long before it bids. */
    bidDelayMs: z.int().min(0).max(60_000).default(0),
  }),
});

export type NodeConfig = z.infer<typeof nodeConfigSchema>;

/** Reads a configuration file. @throws Error naming each field that breaks its rule. */
export const loadNodeConfig = async (path: string): Promise<NodeConfig> => {
  const parsed = nodeConfigSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`${path}\n${problems.join('\n')}`);
};
