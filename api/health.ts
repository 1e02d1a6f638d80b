export const HEALTH_STATES = ['ok', 'degraded', 'down', 'off'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

/** What a probe found. `lag` is in events, `cause` for operators only. */
export interface Probed {
  readonly status: HealthState;
  readonly lag?: number;
  /** Of several processes: how many are there, how many should be, and the names of those that are not. */
  readonly have?: number;
  readonly expected?: number;
  readonly missing?: readonly string[];
  readonly cause?: string;
}

export interface Component {
  /** Without it nothing works: it decides readiness. */
  readonly critical: boolean;
  readonly probe: () => Promise<Probed>;
}

export interface ComponentHealth extends Probed {
  /** When the component came into this state, as far as this process saw it. */
  readonly since: string;
}

export interface HealthReport {
  readonly status: 'ok' | 'degraded' | 'down';
  readonly components: Readonly<Record<string, ComponentHealth>>;
  /** Critical components that are down. */
  readonly failing: readonly string[];
}

export interface Health {
  report(): Promise<HealthReport>;
  /** Critical components that are down; nothing else is asked, for balancers ask often. */
  failing(): Promise<readonly string[]>;
}

const PROBE_MS = 2000;

const timed = async (probe: Component['probe']): Promise<Probed> => {
  const { promise: late, resolve } = Promise.withResolvers<Probed>();
  const timer = setTimeout(resolve, PROBE_MS, { status: 'down', cause: `no answer within ${PROBE_MS} ms` });
  try {
    return await Promise.race([probe(), late]);
  } catch (error) {
    return { status: 'down', cause: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
};

/** Asks every component at once; one that fails or hangs is reported and harms no other. */
export const createHealth = ({
  components,
  now,
}: {
  components: Readonly<Record<string, Component>>;
  now: () => string;
}): Health => {
  const since = new Map<string, { readonly status: HealthState; readonly at: string }>();

  const examine = async (name: string, component: Component): Promise<ComponentHealth> => {
    const probed = await timed(component.probe);
    const before = since.get(name);
    const at = before?.status === probed.status ? before.at : now();
    since.set(name, { status: probed.status, at });
    return { ...probed, since: at };
  };

  const examineAll = async (
    which: Readonly<Record<string, Component>>,
  ): Promise<Readonly<Record<string, ComponentHealth>>> =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(which).map(
          async ([name, component]) => [name, await examine(name, component)] as const,
        ),
      ),
    );
  const critical = Object.fromEntries(
    Object.entries(components).filter(([, component]) => component.critical),
  );
  const downOf = (found: Readonly<Record<string, ComponentHealth>>): string[] =>
    Object.keys(critical).filter((name) => found[name]?.status === 'down');

  return {
    report: async () => {
      const found = await examineAll(components);
      const failing = downOf(found);
      const impaired = Object.values(found).some(({ status }) => status === 'down' || status === 'degraded');
      return {
        status: failing.length > 0 ? 'down' : impaired ? 'degraded' : 'ok',
        components: found,
        failing,
      };
    },
    failing: async () => downOf(await examineAll(critical)),
  };
};
