import { mkdir, readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { ENCLAVE_LIMITS } from '../../domain/enclave/limits.ts';
import { type Micro, toMicro, units } from '../../domain/money.ts';
import { requiredStake } from '../../domain/provider/stake.ts';
import type { InfrastructureType } from '../../domain/tiers.ts';
import { instant } from '../../domain/time.ts';
import { readKeyFile } from '../keys/key-file.ts';
import { createSigner } from '../keys/signer.ts';
import {
  chipIdFor,
  createSimulatedRoot,
  issueChip,
  loadChip,
  loadRoot,
  saveChip,
  saveRoot,
} from '../tee/index.ts';
import { type LocalHome, secretFile, writeWhole } from './local-home.ts';

interface LocalNodeProfile {
  readonly name: string;
  readonly infrastructureType: InfrastructureType;
  /** From the range kept for documentation (RFC 5398): no real network is named. */
  readonly asn: number;
  readonly region: string;
  readonly tops: number;
  /** Micro-units for an hour of one H200: below the bronze rate, so that every local node bids on every tier. */
  readonly pricePerH200Hour: string;
}

const profile = (
  name: string,
  infrastructureType: InfrastructureType,
  asn: number,
  region: string,
  tops: number,
  pricePerH200Hour: string,
): LocalNodeProfile => ({ name, infrastructureType, asn, region, tops, pricePerH200Hour });

/** One node per infrastructure type, all different in owner, network and region (settled 14). */
const PROFILES: readonly LocalNodeProfile[] = [
  profile('aws', 'cloud_aws', 64_496, 'us-east', 6_000, '380000'),
  profile('azure', 'cloud_azure', 64_497, 'eu-west', 6_000, '370000'),
  profile('gcp', 'cloud_gcp', 64_498, 'asia-east', 6_000, '360000'),
  profile('edge', 'edge_devices', 64_499, 'sa-east', 2_000, '240000'),
  profile('datacenter', 'private_datacenters', 64_500, 'eu-north', 4_000, '300000'),
  profile('hybrid', 'hybrid_environments', 64_501, 'af-south', 4_000, '320000'),
];

/**
 * Memory that the enclaves of one node may have, MiB: its part of three quarters of the machine, and no less than the
 * largest job needs. Modules seldom use what they may.
 */
const MEMORY_MB = Math.max(
  ENCLAVE_LIMITS.memoryMb.max,
  Math.floor(((totalmem() / 2 ** 20) * 0.75) / PROFILES.length),
);

/** Locked at the first join: what bidding takes, and something to spare. */
const STAKE = toMicro('1000000');

export interface LocalNode {
  readonly profile: LocalNodeProfile;
  readonly configFile: string;
  /** Lower-case hex Ed25519 key: the node's and, locally, its owner's identity. */
  readonly publicKey: string;
}

/** Gives each node its key and, under the data directory's simulated root, its chip. What exists is kept. */
export const prepareNodes = async (home: LocalHome): Promise<LocalNode[]> => {
  const now = instant(Date.now());
  const rootDirectory = home.path('tee', 'root');
  const existing = await loadRoot(rootDirectory);
  const root = existing ?? createSimulatedRoot({ now });
  if (existing === null) await saveRoot(rootDirectory, root);
  const nodes: LocalNode[] = [];
  for (const node of PROFILES) {
    const { name } = node;
    await mkdir(home.path('nodes', name), { recursive: true, mode: 0o700 });
    const keyFile = home.path('nodes', name, 'node.key');
    await secretFile(keyFile);
    const [seed] = await readKeyFile(keyFile);
    const publicKey = publicKeyOf(seed as Uint8Array);
    const chipDirectory = home.path('nodes', name, 'chip');
    if ((await loadChip(chipDirectory)) === null) {
      // A chip serves one provider: a node whose folder was lost comes back as another one, on another chip.
      const chipId = chipIdFor(`${name} ${publicKey}`);
      await saveChip(chipDirectory, issueChip(root, { chipId, now }));
    }
    nodes.push({ profile: node, configFile: home.path('nodes', name, 'node.json'), publicKey });
  }
  return nodes;
};

/**
 * Writes `node.json` where it is missing, and the engine's present addresses into it: an owner may edit the rest.
 * @param owners principal id by node name
 * @param engines multiaddrs of all workers, which the nodes dial
 * @param tRef TOPS of one H200, by which stakes are counted
 */
export const writeNodeConfigs = async (
  nodes: readonly LocalNode[],
  owners: ReadonlyMap<string, string>,
  engines: readonly string[],
  tRef: number,
): Promise<void> => {
  for (const { profile: node, configFile } of nodes) {
    const { pricePerH200Hour, ...place } = node;
    const initial = {
      ...place,
      owner: owners.get(node.name),
      memoryMb: MEMORY_MB,
      platforms: ['amd_sev_snp'],
      // The six share a machine, and a chip serves one provider.
      hardware: node === PROFILES[0],
      stake: stakeOf(node, tRef),
      costPolicy: { pricePerH200Hour, floor: '1', margin: 0.1, maxConcurrent: 8 },
    };
    const config = { ...initial, ...(await readJson(configFile)), engines };
    await writeWhole(configFile, `${JSON.stringify(config, null, 2)}\n`);
  }
};

const stakeOf = ({ tops }: LocalNodeProfile, tRef: number): Micro => {
  const required = requiredStake(tops, tRef);
  return units(required) > units(STAKE) ? required : STAKE;
};

/** The object in a JSON file; none when there is no file. @throws when the file holds no JSON. */
const readJson = async (file: string): Promise<object> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  return JSON.parse(text) as object;
};

const publicKeyOf = (seed: Uint8Array): string => {
  const [key] = createSigner([seed]).jwks().keys;
  return Buffer.from(key?.x ?? '', 'base64url').toString('hex');
};
