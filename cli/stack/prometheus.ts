/** A process or component that Prometheus scrapes, or should. */
export interface ScrapeTarget {
  /** The section of the configuration that it comes from. */
  readonly pool: string;
  readonly job: string;
  readonly instance: string;
  readonly up: boolean;
  /** Why not. */
  readonly error: string;
}

/** What the stack's Prometheus knows. Numbers that it cannot tell are missing. */
export interface Knowledge {
  readonly targets: readonly ScrapeTarget[];
  readonly series?: number;
  /** Names of the alerts that fire; the watchdog, which always does, is none. */
  readonly firing: readonly string[];
  /** What Tempo and Loki took within the last five minutes. */
  readonly spans?: number;
  readonly lines?: number;
}

const TIMEOUT_MS = 5000;
const WINDOW = '5m';

/**
 * Asks a Prometheus what it scrapes and holds.
 *
 * @returns undefined if it does not answer
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/
 */
export async function knowledge(url: string): Promise<Knowledge | undefined> {
  const targets = await get(`${url}/api/v1/targets?state=active`);
  if (targets === undefined) return undefined;
  const [alerts, tsdb, spans, lines] = await Promise.all([
    get(`${url}/api/v1/alerts`),
    get(`${url}/api/v1/status/tsdb?limit=1`),
    gained(url, 'tempo_distributor_spans_received_total'),
    gained(url, 'loki_distributor_lines_received_total'),
  ]);
  return {
    targets: targets.activeTargets
      // Found, and not asked yet: it is neither up nor down.
      .filter(({ health }: any) => health !== 'unknown')
      .map(({ scrapePool, labels, health, lastError }: any) => ({
        pool: scrapePool ?? '',
        job: labels.job ?? '',
        instance: labels.instance ?? '',
        up: health === 'up',
        error: lastError ?? '',
      })),
    firing: (alerts?.alerts ?? [])
      .filter((alert: any) => alert.state === 'firing' && alert.labels.alertname !== 'Watchdog')
      .map((alert: any) => [alert.labels.alertname, alert.labels.job && `(${alert.labels.job})`].filter(Boolean).join(' ')),
    series: tsdb?.headStats?.numSeries,
    spans,
    lines,
  };
}

/** What a counter has gained. One that is younger than the window counts whole: `increase` knows no value before its first. */
async function gained(url: string, counter: string): Promise<number | undefined> {
  const query = encodeURIComponent(`sum((increase(${counter}[${WINDOW}]) and ${counter} offset ${WINDOW}) or ${counter})`);
  const value = (await get(`${url}/api/v1/query?query=${query}`))?.result?.[0]?.value?.[1];
  return value === undefined ? undefined : Math.round(Number(value));
}

async function get(url: string): Promise<any> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return answer.ok ? ((await answer.json()) as any).data : undefined;
  } catch {
    return undefined;
  }
}
