/** An address of the stack that people or apps use. */
export interface Address {
  readonly service: string;
  /** The port inside the container. */
  readonly target: number;
  readonly title: string;
  /** Answers 200 to GET when the service does its work; undefined where HTTP cannot ask. */
  readonly ready?: string;
  /** What it is for, in a few words. */
  readonly use: string;
}

/** What the compose file publishes; in the order of interest. */
export const ADDRESSES: readonly Address[] = [
  {
    service: 'grafana',
    target: 3000,
    title: 'Grafana',
    ready: '/api/health',
    use: 'dashboards, logs, traces; look around without a login',
  },
  { service: 'prometheus', target: 9090, title: 'Prometheus', ready: '/-/ready', use: 'metrics and rules' },
  { service: 'alertmanager', target: 9093, title: 'Alertmanager', ready: '/-/ready', use: 'alerts and silences' },
  { service: 'collector', target: 4318, title: 'OTLP/HTTP', use: 'where apps send to' },
  { service: 'collector', target: 4317, title: 'OTLP/gRPC', use: 'the same for other languages' },
  { service: 'loki', target: 3100, title: 'Loki', ready: '/ready', use: 'the API of logs' },
  { service: 'tempo', target: 3200, title: 'Tempo', ready: '/ready', use: 'the API of traces' },
];

/** The services that the stack cannot do without. */
export const SERVICES: readonly string[] = [...new Set(ADDRESSES.map(({ service }) => service))];

/** How to name a port in a sentence. */
export function titleOf(service: string, target: number): string {
  return ADDRESSES.find((one) => one.service === service && one.target === target)?.title ?? service;
}

/** As it is typed into a browser or a setting: a bind address such as 0.0.0.0 is no address to go to. */
export function urlOf(host: string, port: number, scheme = 'http://'): string {
  const local = ['', '0.0.0.0', '::', '127.0.0.1', '::1'].includes(host);
  return `${scheme}${local ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}
