import type { Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Backends } from '../../test/compose/backends.ts';
import { fill, type Values } from '../../test/dashboards/fill.ts';
import type { Scene } from '../../test/dashboards/scene.ts';

/** A panel with what its queries answered, for page.js to draw. */
export interface Drawn {
  readonly panel: Panel | RowPanel;
  /** Of each query, by its letter: series of Prometheus or Loki, log lines, or traces. */
  readonly answers: Readonly<Record<string, unknown>>;
}

interface Target {
  readonly refId: string;
  readonly expr?: string;
  readonly query?: string;
  readonly queryType?: string;
  readonly instant?: boolean;
  readonly datasource: { readonly type: string };
}

/** Asks every query of a dashboard, over the whole scene. */
export async function collect(dashboard: Dashboard, scene: Scene, values: Values, backends?: Backends): Promise<Drawn[]> {
  const start = scene.healthy.start;
  const end = scene.faulty.end;
  const step = Math.max(1, Math.round((end - start) / 120));
  const panels = (dashboard.panels ?? []) as (Panel | RowPanel)[];
  return Promise.all(
    panels.map(async (panel) => {
      const targets = ((panel as Panel).targets ?? []) as unknown as Target[];
      const answers = await Promise.all(targets.map(async (target) => [target.refId, await answer(target)] as const));
      return { panel, answers: Object.fromEntries(answers) };
    }),
  );

  async function answer(target: Target): Promise<unknown> {
    const { datasource, expr = '', query = '', queryType, instant } = target;
    const range = { start: String(start), end: String(end), step: String(step) };
    if (datasource.type === 'prometheus') {
      const filled = fill(expr, values);
      // The service graph is made by Tempo, which writes it to the stack's Prometheus.
      const prometheus = expr.includes('traces_service_graph') ? backends?.prometheus : scene.prometheus;
      if (!prometheus) return undefined;
      const path = instant ? '/query' : '/query_range';
      return (await prometheus.ask(path, { query: filled, ...(instant ? { time: String(end) } : range) })).result;
    }
    if (!backends) return undefined;
    if (datasource.type === 'loki') {
      const filled = fill(expr, values);
      const path = queryType === 'instant' ? '/loki/api/v1/query' : '/loki/api/v1/query_range';
      const nanoseconds = { start: `${Math.floor(start)}000000000`, end: `${Math.ceil(end)}000000000`, step: '5', limit: '60' };
      return (await backends.loki.ask(`${path}?${new URLSearchParams({ query: filled, ...nanoseconds })}`)).result;
    }
    if (queryType === 'traceql') return backends.tempo.search(fill(query, values));
    const edges = `sum by (client, server) (rate(traces_service_graph_request_total[1m]))`;
    const failed = `sum by (client, server) (rate(traces_service_graph_request_failed_total[1m]))`;
    const [all, wrong] = await Promise.all([edges, failed].map((text) => backends.prometheus.query(text)));
    return { all, wrong };
  }
}
