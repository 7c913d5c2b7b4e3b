/**
 * Ways down: addresses in which Grafana fills in what was clicked and what is selected. Variables and the shown time are
 * kept everywhere.
 *
 * @see https://grafana.com/docs/grafana/latest/panels-visualizations/configure-data-links/
 */
import type { DataLink } from './types.ts';
import type { Uid } from './uids.ts';

/** The value of a label of the series that was clicked. */
export function clicked(label: string): string {
  return '${__field.labels.' + label + ':percentencode}';
}

/** The value of a column of the table row that was clicked. */
export function cell(column: string): string {
  return '${__data.fields["' + column + '"]:percentencode}';
}

/**
 * To another dashboard, with the same data sources and time. Variables: a name alone keeps what is selected, a pair sets it.
 */
export function toDashboard(title: string, uid: Uid, variables: readonly (string | readonly [string, string])[]): DataLink {
  const query = [
    '${prometheus_datasource:queryparam}',
    ...variables.map((each) => (typeof each === 'string' ? '${' + each + ':queryparam}' : `var-${each[0]}=${each[1]}`)),
    '${__url_time_range}',
  ];
  return { title, url: `/d/${uid}?${query.join('&')}` };
}

/** To the traces that a TraceQL query finds, in Explore. */
export function toTraces(title: string, query: string): DataLink {
  return explore(title, 'tempo', { queryType: 'traceql', query, limit: 50, tableType: 'traces' });
}

/** To the log lines that a LogQL query finds, in Explore. */
export function toLogs(title: string, expr: string): DataLink {
  return explore(title, 'loki', { queryType: 'range', expr });
}

function explore(title: string, type: 'tempo' | 'loki', query: Readonly<Record<string, unknown>>): DataLink {
  const uid = '${' + type + '_datasource}';
  const panes = {
    o11y: {
      datasource: uid,
      queries: [{ refId: 'A', datasource: { type, uid }, ...query }],
      range: { from: '${__from}', to: '${__to}' },
    },
  };
  return { title, url: `/explore?schemaVersion=1&orgId=\${__org.id}&panes=${encodeKeepingVariables(JSON.stringify(panes))}` };
}

// Grafana fills in variables by their plain spelling only.
function encodeKeepingVariables(text: string): string {
  return text
    .split(/(\$\{[^}]+\})/)
    .map((piece, index) => (index % 2 === 1 ? piece.replaceAll('\\"', '"') : encodeURIComponent(piece)))
    .join('');
}
