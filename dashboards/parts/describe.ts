import type { Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';

/** What stands in a target of any of the three data sources. */
interface Target {
  readonly refId?: string;
  readonly expr?: string;
  readonly query?: string;
  readonly serviceMapQuery?: string;
  readonly queryType?: string;
  readonly datasource?: { readonly type?: string; readonly uid?: string };
}

export interface DescribedPanel {
  readonly title: string;
  readonly read: string;
  readonly act: string;
  readonly targets: readonly Target[];
}

export interface DescribedDashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly panels: readonly DescribedPanel[];
}

/** All panels of a dashboard but rows, those of collapsed rows included. */
export function panelsOf({ panels = [] }: Pick<Dashboard, 'panels'>): Panel[] {
  return panels.flatMap((each) => (each.type === 'row' ? (each as RowPanel).panels : [each as Panel]));
}

export function describeDashboard(dashboard: Dashboard): DescribedDashboard {
  const { uid = '', title = '', description = '' } = dashboard;
  return {
    uid,
    title: title.replace(/^o11y-kit \/ /, ''),
    description,
    panels: panelsOf(dashboard).map((panel) => {
      const [read = '', act = ''] = (panel.description ?? '').split('\n\n**What to do:** ');
      return { title: panel.title ?? '', read, act, targets: (panel.targets ?? []) as readonly Target[] };
    }),
  };
}

// What may stand before a brace or a range in PromQL is a metric's name.
const METRIC = /([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?=\{|\[)/g;

/** The metrics in a panel's PromQL queries, each once; `logs` and `traces` for the others. */
export function metricsOf({ targets }: Pick<DescribedPanel, 'targets'>): string[] {
  return [
    ...new Set(
      targets.flatMap(({ datasource, expr = '' }) => {
        if (datasource?.type === 'loki') return ['logs'];
        if (datasource?.type === 'tempo') return ['traces'];
        return [...expr.matchAll(METRIC)].map(([, name]) => name);
      }),
    ),
  ].sort();
}
