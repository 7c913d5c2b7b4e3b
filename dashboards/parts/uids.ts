/** The dashboards' uids: links in alerts, runbooks and other dashboards lead to them, so they never change. */
export const UID = {
  service: 'o11y-service',
  runtime: 'o11y-runtime',
  httpClients: 'o11y-http-clients',
  slo: 'o11y-slo',
  releases: 'o11y-releases',
  logs: 'o11y-logs',
  map: 'o11y-map',
  kit: 'o11y-kit',
  dependencies: 'o11y-dependencies',
  queues: 'o11y-queues',
  resilience: 'o11y-resilience',
  ai: 'o11y-ai',
  streams: 'o11y-streams',
} as const;

export type Uid = (typeof UID)[keyof typeof UID];
