import type { Connection } from '@temporalio/client';
import type { Component, HealthState } from '../../../api/health.ts';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import { msBetween } from '../../../domain/time.ts';
import { platformCounts } from '../../../projections/providers/queries.ts';
import { topologiesInForce } from '../../../projections/topologies/queries.ts';
import { anchoringStatus } from '../../anchor/status.ts';
import type { ExpectedProcesses } from '../../processes/roster.ts';
import { processHealth } from './process-health.ts';
import { type ProofHealthDeps, proofHealth } from './proof-health.ts';
import { readModelHealth } from './read-model-health.ts';

export interface ComponentDeps extends ProofHealthDeps {
  readonly store: EventStore;
  readonly connection: Connection;
  readonly now: () => string;
  /** Name of the network, for its topology. */
  readonly network: string;
  /** Whether there is a chain to anchor on. */
  readonly anchoring: boolean;
  /** How many processes of each kind there should be. */
  readonly expected: ExpectedProcesses;
  /** Aborts when this process begins to stop. */
  readonly leaving: AbortSignal;
}

/** An anchor that takes this long is late. */
const LATE_ANCHOR_MS = 3_600_000;
const TEMPORAL_MS = 1500;

const is = (status: HealthState): Component => ({ critical: false, probe: async () => ({ status }) });

/**
 * The named components (R10) and every store and broker. Reads and sign-in need PostgreSQL alone, so only it and this
 * process itself decide readiness. What this profile does not run is `off`.
 */
export const healthComponents = (deps: ComponentDeps): Readonly<Record<string, Component>> => {
  const { pool, connection, now, network } = deps;

  const { readModel, projections } = readModelHealth(deps);

  const topology: Component = {
    critical: false,
    probe: async () => {
      const stand = await readModel('topologies').probe();
      if (stand.status !== 'ok') return stand;
      const [current] = await topologiesInForce(pool, network, now());
      return current ? stand : { status: 'degraded', cause: 'no epoch can be drawn from yet' };
    },
  };

  const anchoring: Component = {
    critical: false,
    probe: async () => {
      if (!deps.anchoring)
        return { status: 'off', cause: 'no chain: ANCHOR_RPC_URL is not set, and no anvil runs' };
      const status = await anchoringStatus(pool);
      if (!status) return { status: 'degraded', cause: 'the projector has not begun to anchor' };
      const { fault, openSince } = status;
      if (fault !== null) return { status: 'degraded', cause: fault };
      const isLate = openSince !== null && msBetween(openSince, now()) > LATE_ANCHOR_MS;
      return isLate
        ? { status: 'degraded', cause: `an anchor is under way since ${openSince}` }
        : { status: 'ok' };
    },
  };

  const teeRuntime: Component = {
    critical: false,
    probe: async () =>
      (await platformCounts(pool, now())).length > 0
        ? { status: 'ok' }
        : { status: 'degraded', cause: 'no host has attested a platform' },
  };

  /** A balancer has to send requests elsewhere while there is still time. */
  const gateway: Component = {
    critical: true,
    probe: async () =>
      deps.leaving.aborted ? { status: 'down', cause: 'this process is about to stop' } : { status: 'ok' },
  };

  return {
    gateway,
    postgres: {
      critical: true,
      probe: async () => {
        await pool.query('select 1');
        return { status: 'ok' };
      },
    },
    temporal: {
      critical: false,
      probe: async () => {
        await connection.withDeadline(Date.now() + TEMPORAL_MS, () =>
          connection.workflowService.getSystemInfo({}),
        );
        return { status: 'ok' };
      },
    },
    ...processHealth(pool, deps.expected),
    projections,
    tee_runtime: teeRuntime,
    crypto_proofs: proofHealth(deps),
    anchoring,
    zk_predicates: readModel('predicates'),
    market_pricing: readModel('auctions'),
    hetero_quorum: readModel('quorums'),
    onion_routing: is('off'),
    bayesian_trust: readModel('trust'),
    vrf_topology: topology,
    kafka: is('off'),
    rabbitmq: is('off'),
    redis: is('off'),
    neo4j: is('off'),
  };
};
