import {
  AdHocVariableBuilder,
  CustomVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableHide,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { type Backend, LOKI, PROMETHEUS } from './datasources.ts';
import { type Metric, nameOf, select } from './promql.ts';

const LABEL: Readonly<Record<Backend, string>> = { prometheus: 'Prometheus', loki: 'Loki', tempo: 'Tempo' };

/** Which of the data sources of a kind; Grafana chooses the first or the default one. */
export function datasource(backend: Backend): VariableModel {
  return new DatasourceVariableBuilder(`${backend}_datasource`).label(`${LABEL[backend]} data source`).type(backend).build();
}

interface Choice {
  readonly name: string;
  readonly label: string;
  readonly description?: string;
  /** Where the values come from: a label of the series of a selector. */
  readonly from: { readonly metric: Metric; readonly matchers?: string; readonly label: string };
  /** Any number of values, all of them at first; otherwise one. */
  readonly many?: boolean;
  readonly sort?: VariableSort;
  readonly hidden?: boolean;
  /** What "All" stands for; by default the list of all values. */
  readonly all?: string;
}

/** Values of a label in Prometheus. */
export function choice(spec: Choice): VariableModel {
  const { from, many = true } = spec;
  const selector = from.matchers ? select(from.metric, from.matchers) : nameOf(from.metric);
  const query = `label_values(${selector}, ${from.label})`;
  const builder = new QueryVariableBuilder(spec.name)
    .label(spec.label)
    .datasource(PROMETHEUS)
    // 1 is the editor's "label values".
    .query({ query, refId: 'PrometheusVariableQueryEditor-VariableQuery', qryType: 1 })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(spec.sort ?? VariableSort.NaturalAsc)
    .multi(many)
    .includeAll(many);
  if (spec.description) builder.description(spec.description);
  if (spec.hidden) builder.hide(VariableHide.HideVariable);
  if (many) {
    if (spec.all) builder.allValue(spec.all);
    builder.current({ selected: true, text: ['All'], value: ['$__all'] });
  }
  return builder.build();
}

/** Services that are scraped or that send metrics, and that `metric` is known of. */
export function job(metric: Metric = 'target_info', many = true): VariableModel {
  return choice({
    name: 'job',
    label: 'Service',
    description: 'The `job` label: name of a service, with its namespace where it has one.',
    from: { metric, label: 'job' },
    many,
    all: many ? '.+' : undefined,
  });
}

export function instance(): VariableModel {
  return choice({
    name: 'instance',
    label: 'Instance',
    from: { metric: 'target_info', matchers: 'job=~"$job"', label: 'instance' },
    all: '.+',
  });
}

/** `service.name` of the chosen services: logs and traces know that, not the job. Follows the choice of the job by itself. */
export function serviceName(): VariableModel {
  return choice({
    name: 'service_name',
    label: 'Service name',
    from: { metric: 'target_info', matchers: 'job=~"$job"', label: 'service_name' },
    hidden: true,
  });
}

/** Any other label, on every query: an environment, a cluster, a region, where a Prometheus holds several. */
export function filters(): VariableModel {
  return new AdHocVariableBuilder('filters')
    .label('Filters')
    .description('Further labels that all metrics have, such as an environment or a cluster.')
    .datasource(PROMETHEUS)
    .build();
}

/** Values of a label in Loki. */
export function logChoice(name: string, label: string, lokiLabel: string): VariableModel {
  return (
    new QueryVariableBuilder(name)
      .label(label)
      .datasource(LOKI)
      // 1 is the editor's "label values".
      .query({ label: lokiLabel, stream: '', type: 1, refId: 'LokiVariableQueryEditor-VariableQuery' })
      .definition(`label_values(${lokiLabel})`)
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.NaturalAsc)
      .multi(true)
      .includeAll(true)
      // Loki wants at least one matcher that does not match the empty value.
      .allValue('.+')
      .current({ selected: true, text: ['All'], value: ['$__all'] })
      .build()
  );
}

/** Free text. */
export function textBox(name: string, label: string, description: string): VariableModel {
  return new TextBoxVariableBuilder(name).label(label).description(description).defaultValue('').build();
}

/** For how long an error budget has to last. No longer than Prometheus keeps its data. */
export function period(): VariableModel {
  const model = new CustomVariableBuilder('period')
    .label('Period')
    .description('For how long the error budget has to last. Where Prometheus keeps less than that, what it has is taken.')
    .values('30d,7d,1d')
    .current({ selected: true, text: '30d', value: '30d' })
    .build();
  model.options = ['30d', '7d', '1d'].map((value, index) => ({ selected: index === 0, text: value, value }));
  return model;
}

/** Levels of log lines. They are no label of Loki's, so Loki cannot list them. */
export function level(): VariableModel {
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
  const model = new CustomVariableBuilder('level')
    .label('Level')
    .values(levels.join(','))
    .multi(true)
    .includeAll(true)
    // Lines without a level too.
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] })
    .build();
  model.options = [
    { selected: true, text: 'All', value: '$__all' },
    ...levels.map((value) => ({ selected: false, text: value, value })),
  ];
  return model;
}
