/** One service's numbers over the last minutes. Durations in milliseconds. */
export interface Row {
  readonly service: string;
  readonly requests: number;
  /** Requests a second. */
  readonly rate: number;
  /** Share of failed requests, 0 to 1; null without requests. */
  readonly errorRatio: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly logs: number;
}

/** A trace worth a look. */
export interface Pointer {
  readonly url: string;
  readonly what: string;
}

export interface Picture {
  /** Seconds since the start. */
  readonly seconds: number;
  readonly rows: readonly Row[];
  /** Traces that the viewer gave up to make room for newer ones. */
  readonly evictedTraces: number;
  readonly viewer: string;
  readonly gateway: string;
  readonly metrics: readonly string[];
  readonly slow: Pointer | undefined;
  readonly failed: Pointer | undefined;
}

/** The whole picture for a terminal, as lines. */
export function drawScreen(picture: Picture): string[] {
  const { rows, slow, failed } = picture;
  return [
    `checkout demo  ${clock(picture.seconds)}  Ctrl-C ends it`,
    '',
    columns('service', 'requests', 'per second', 'errors', 'p50', 'p95', 'log lines'),
    ...rows.map((row) =>
      columns(
        row.service,
        String(row.requests),
        row.rate.toFixed(1),
        percent(row.errorRatio),
        duration(row.p50),
        duration(row.p95),
        String(row.logs),
      ),
    ),
    ...(picture.evictedTraces > 0 ? ['', `${picture.evictedTraces} older traces made room for newer ones`] : []),
    '',
    entry('Viewer', picture.viewer),
    entry('A slow one', slow ? `${slow.url}  ${slow.what}` : 'none yet'),
    entry('A failed one', failed ? `${failed.url}  ${failed.what}` : 'none yet'),
    ...picture.metrics.map((url, n) => entry(n === 0 ? 'Metrics' : '', url)),
    entry('Try', `curl -i ${picture.gateway}/products/tea-green`),
  ];
}

/** The same in one line, for output that is no terminal. */
export function drawLine({ seconds, rows }: Picture): string {
  const services = rows.map(({ service, requests, errorRatio, p95 }) => {
    return `${service} ${requests} requests, ${percent(errorRatio)} failed, p95 ${duration(p95)}`;
  });
  return `${clock(seconds)}  ${services.join('; ') || 'nothing yet'}`;
}

function columns(first: string, ...rest: string[]): string {
  return first.padEnd(12) + rest.map((text) => text.padStart(12)).join('');
}

function entry(name: string, text: string): string {
  return `${name.padEnd(14)}${text}`;
}

function clock(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${two(seconds / 60)}:${two(seconds % 60)}`;
}

function percent(ratio: number | null): string {
  return ratio === null ? '–' : `${(ratio * 100).toFixed(1)} %`;
}

function duration(ms: number | null): string {
  return ms === null ? '–' : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
