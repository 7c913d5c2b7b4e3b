/** Panels about errors, latency and saturation, and how the faults of the scene must show in them. */

export interface Change {
  /** As {@link import('./queries.ts').PanelQuery.name}. */
  readonly query: string;
  /** The greatest value during the faults is at least so many times that of before. 1.5 if nothing is said. */
  readonly factor?: number;
  /** And at least so much. */
  readonly least?: number;
  /** The least value falls instead, at least to this. */
  readonly fallsTo?: number;
}

export const CHANGES: readonly Change[] = [
  // The payments hang and die: what calls them fails and is slow, and what calls that.
  { query: 'o11y-service / Errors / A', least: 0.15 },
  { query: 'o11y-service / Latency, p95 / A', least: 1 },
  { query: 'o11y-service / In flight / A', least: 10 },
  { query: 'o11y-service / Services / B', least: 0.2 },
  { query: 'o11y-service / Services / D', least: 1 },
  { query: 'o11y-service / Error share by service / A', least: 0.2 },
  { query: 'o11y-service / Latency / B', least: 1 },
  { query: 'o11y-service / Latency / C', least: 1 },
  { query: 'o11y-service / Top routes / D', least: 1 },
  { query: 'o11y-service / Error share by instance / A', least: 0.2 },
  { query: 'o11y-service / Latency by instance, p95 / A', least: 1 },
  { query: 'o11y-service / Outgoing calls that fail / A', least: 0.5 },
  { query: 'o11y-service / Outgoing calls, p95 / A', least: 1 },
  { query: 'o11y-service / Errors by type / A' },
  { query: 'o11y-service / Instances down / A', least: 1 },
  { query: 'o11y-service / Instances / B', least: 2 },
  { query: 'o11y-http-clients / Failed / A', least: 0.3 },
  { query: 'o11y-http-clients / Duration, p95 / A', least: 1 },
  { query: 'o11y-http-clients / Called hosts / B', least: 0.5 },
  { query: 'o11y-http-clients / Called hosts / D', least: 1 },
  { query: 'o11y-http-clients / Failed calls by reason / A' },
  { query: 'o11y-http-clients / Duration by host, p95 / A', least: 1 },
  { query: 'o11y-releases / A against B / C', least: 0.15 },
  { query: 'o11y-releases / A against B / E', least: 1 },
  { query: 'o11y-releases / Error share / A', least: 0.15 },
  { query: 'o11y-releases / Latency, p95 / A', least: 1 },
  { query: 'o11y-releases / Error lines a request / A' },
  { query: 'o11y-slo / Availability / D', factor: 1.1 },
  { query: 'o11y-slo / Latency / D', least: 1 },
  { query: 'o11y-slo / Burn rate, availability / A', factor: 1.1 },
  { query: 'o11y-slo / Burn rate, latency / A', least: 1 },
  { query: 'o11y-slo / Budget left, latency / A', fallsTo: 0.9 },
  { query: 'o11y-slo / Share of failed requests / A', least: 0.2 },
  { query: 'o11y-slo / Share of slow requests / A', least: 0.01 },
  { query: 'o11y-slo / Bad requests a second, availability / A' },
  { query: 'o11y-slo / Bad requests a second, latency / A' },
  // The shop blocks, leaks, makes garbage and forgets promises.
  { query: 'o11y-service / Event loop delay, greatest / A', least: 3 },
  { query: 'o11y-service / Event loop, busiest / A', factor: 1.2, least: 0.8 },
  { query: 'o11y-service / Services / F', least: 0.4 },
  { query: 'o11y-service / Uncaught exceptions and rejections / A', least: 1 },
  { query: 'o11y-runtime / Event loop busy / A', factor: 1.2, least: 0.8 },
  { query: 'o11y-runtime / Event loop utilization / A', factor: 1.2, least: 0.8 },
  { query: 'o11y-runtime / Longest block / A', least: 3 },
  { query: 'o11y-runtime / Event loop delay, p99 and greatest / A', least: 3 },
  { query: 'o11y-runtime / Heap of limit / A', least: 0.4 },
  { query: 'o11y-runtime / Heap used, of its limit / A', least: 0.4 },
  { query: 'o11y-runtime / Heap by space / A' },
  { query: 'o11y-runtime / Time in garbage collection / A' },
  { query: 'o11y-runtime / Time in garbage collection, by kind / A' },
  { query: 'o11y-runtime / CPU / A' },
  { query: 'o11y-runtime / File descriptors of limit / A' },
  { query: 'o11y-runtime / Open file descriptors / A' },
  { query: 'o11y-runtime / Restarts / A', least: 1 },
  // The backend refuses spans and log records; the shop floods its labels.
  { query: 'o11y-kit / Lost / A', least: 0.5 },
  { query: 'o11y-kit / Dropped, by reason / A', least: 1 },
  { query: 'o11y-kit / Dropped in the shown time / A', least: 1 },
  { query: 'o11y-kit / Instances not scraped / A', least: 1 },
  { query: 'o11y-kit / Scrape duration / A' },
  { query: 'o11y-kit / Series of an instance / A', factor: 1.2 },
  { query: 'o11y-kit / Requests beyond the limit of series / A', least: 0.1 },
  { query: 'o11y-kit / Requests beyond the limit of series / B', least: 0.1 },
];
