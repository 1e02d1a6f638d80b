import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry, Summary } from '@prometheus-io/client';

export interface RequestFacts {
  /** Route template, so that labels stay bounded. */
  readonly endpoint: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}

export interface Metrics {
  observe(request: RequestFacts): void;
  /** Prometheus text format. */
  text(): Promise<string>;
  readonly mediaType: string;
  /** What `GET /v1/system/metrics` shows: requests answered, and their latency over ten minutes in seconds. */
  summary(): Promise<{
    readonly requests: number;
    readonly latency: { readonly p50: number; readonly p95: number; readonly p99: number };
  }>;
}

/** Distance of a read model from the log, in events. */
export type LagProbe = () => Promise<Readonly<Record<string, number>>>;

/** The API's own registry: requests (R126, R127), process figures, projection lag. */
export const createMetrics = ({ lag }: { lag: LagProbe }): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'api_requests_total',
    help: 'Requests answered',
    labelNames: ['endpoint', 'method', 'status'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'api_request_duration_seconds',
    help: 'Time to answer a request',
    labelNames: ['endpoint'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  const quantiles = new Summary({
    name: 'api_request_duration_quantiles_seconds',
    help: 'Time to answer a request, over ten minutes',
    percentiles: [0.5, 0.95, 0.99],
    maxAgeSeconds: 600,
    ageBuckets: 5,
    registers: [registry],
  });
  new Gauge({
    name: 'projection_lag_events',
    help: 'Events of the log that a read model has not taken in',
    labelNames: ['projection'],
    registers: [registry],
    async collect() {
      for (const [projection, events] of Object.entries(await lag())) this.set({ projection }, events);
    },
  });

  return {
    observe: ({ endpoint, method, status, seconds }) => {
      requests.inc({ endpoint, method, status });
      duration.observe({ endpoint }, seconds);
      quantiles.observe(seconds);
    },
    text: () => registry.metrics(),
    mediaType: registry.contentType,
    summary: async () => {
      const counted = await requests.get();
      const measured = await quantiles.get();
      const at = (quantile: number): number =>
        measured.values.find(({ labels }) => (labels as { quantile?: number }).quantile === quantile)
          ?.value ?? 0;
      return {
        requests: counted.values.reduce((sum, { value }) => sum + value, 0),
        latency: { p50: at(0.5), p95: at(0.95), p99: at(0.99) },
      };
    },
  };
};
