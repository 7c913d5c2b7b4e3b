/** Everything that the dashboards ask Prometheus for, as Grafana would ask. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { DASHBOARDS } from '../../dashboards/index.ts';
import { panelsOf } from '../../dashboards/parts/describe.ts';
import type { PrometheusServer } from '../support/servers/prometheus.ts';
import { fill, rateInterval, type Values } from './fill.ts';
import type { Phase, Scene } from './scene.ts';

/** A series of an answer: with one value, or with those of a range. Values are text, as Prometheus gives them. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

export interface PanelQuery {
  /** `o11y-service / Requests / A` */
  readonly name: string;
  readonly uid: string;
  readonly panel: string;
  readonly expr: string;
  /** Asked for the end of the shown time only. */
  readonly instant: boolean;
}

interface PrometheusTarget {
  readonly refId: string;
  readonly expr: string;
  readonly instant?: boolean;
  readonly datasource: { readonly type: string };
}

/** The PromQL queries of all panels and annotations. */
export function panelQueries(dashboards: readonly Dashboard[] = DASHBOARDS): PanelQuery[] {
  return dashboards.flatMap((dashboard) => {
    const uid = dashboard.uid!;
    const ofPanels = panelsOf(dashboard).flatMap(({ title = '', targets = [] }) =>
      (targets as unknown as PrometheusTarget[])
        .filter(({ datasource }) => datasource.type === 'prometheus')
        .map(({ refId, expr, instant = false }) => ({ name: `${uid} / ${title} / ${refId}`, uid, panel: title, expr, instant })),
    );
    const ofAnnotations = (dashboard.annotations.list ?? []).map(({ name, expr = '' }) => ({
      name: `${uid} / annotation ${name}`,
      uid,
      panel: `annotation ${name}`,
      expr,
      instant: false,
    }));
    return [...ofPanels, ...ofAnnotations];
  });
}

/** What a user sees who opened the dashboards and chose nothing: everything. */
export function everything({ scrapeInterval, healthy, faulty }: Scene): Values {
  const step = scrapeInterval;
  return {
    job: '.+',
    instance: '.+',
    route: '.*',
    server: '.*',
    client: '.*',
    system: '.*',
    queue: '.*',
    model: '.*',
    baseline: '1.0.0',
    candidate: '1.1.0',
    period: '30d',
    __interval: `${step}s`,
    __rate_interval: `${rateInterval(step, scrapeInterval)}s`,
    __range: `${Math.ceil(faulty.end - healthy.start)}s`,
  };
}

/** Asks as the panel does, over a phase of the scene, and by default once a second of it. */
export async function ask(
  prometheus: PrometheusServer,
  { expr, instant }: PanelQuery,
  values: Values,
  { start, end }: Phase,
  step = 1,
): Promise<Series[]> {
  const query = fill(expr, values);
  const answer = instant
    ? await prometheus.ask('/query', { query, time: String(end) })
    : await prometheus.ask('/query_range', { query, start: String(start), end: String(end), step: String(step) });
  return answer.result;
}

/** All numbers of an answer that can be drawn. */
export function numbers(series: readonly Series[]): number[] {
  return series
    .flatMap(({ value, values }) => (values ?? (value ? [value] : [])).map(([, text]) => Number(text)))
    .filter((number) => Number.isFinite(number));
}
