import { DataqueryBuilder as LokiQuery, LokiQueryDirection } from '@grafana/grafana-foundation-sdk/loki';
import { DataqueryBuilder as PromQuery, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { SearchTableType, DataqueryBuilder as TempoQuery } from '@grafana/grafana-foundation-sdk/tempo';
import { LOKI, PROMETHEUS, TEMPO } from './datasources.ts';

/** A PromQL query of a chart or a number. */
export interface Query {
  readonly expr: string;
  /** Name of a series: `{{label}}` stands for a label's value. */
  readonly legend?: string;
  /** Asks for exemplars, the dots that lead to traces. For queries of histograms. */
  readonly exemplar?: boolean;
}

/** A, B, C … in the order of a panel's queries. */
export function refId(index: number): string {
  return String.fromCharCode(65 + index);
}

/** A query over the shown time. */
export function range({ expr, legend = '', exemplar = false }: Query, index: number): PromQuery {
  return new PromQuery().datasource(PROMETHEUS).expr(expr).legendFormat(legend).exemplar(exemplar).range().refId(refId(index));
}

/** A query of the last moment of the shown time, one row a series. */
export function instant(expr: string, index: number): PromQuery {
  return new PromQuery().datasource(PROMETHEUS).expr(expr).format(PromQueryFormat.Table).instant().refId(refId(index));
}

/** The buckets of a histogram. */
export function buckets(expr: string): PromQuery {
  return new PromQuery()
    .datasource(PROMETHEUS)
    .expr(expr)
    .format(PromQueryFormat.Heatmap)
    .legendFormat('{{le}}')
    .exemplar(true)
    .range()
    .refId(refId(0));
}

/** Log lines, the newest first. */
export function lines(expr: string, limit: number): LokiQuery {
  return new LokiQuery()
    .datasource(LOKI)
    .expr(expr)
    .queryType('range')
    .direction(LokiQueryDirection.Backward)
    .maxLines(limit)
    .refId(refId(0));
}

/** A metric that Loki counts from log lines, over the shown time. */
export function logRange({ expr, legend = '' }: Query, index: number): LokiQuery {
  return new LokiQuery().datasource(LOKI).expr(expr).queryType('range').legendFormat(legend).refId(refId(index));
}

/** A metric that Loki counts from log lines, at the end of the shown time. */
export function logInstant(expr: string, index: number): LokiQuery {
  return new LokiQuery().datasource(LOKI).expr(expr).queryType('instant').refId(refId(index));
}

/** Traces that a TraceQL query finds. */
export function traces(query: string, limit: number): TempoQuery {
  return new TempoQuery()
    .datasource(TEMPO)
    .queryType('traceql')
    .query(query)
    .limit(limit)
    .tableType(SearchTableType.Traces)
    .refId(refId(0));
}

/** The service graph, from the metrics that Tempo makes of spans. */
export function serviceMap(selector: string): TempoQuery {
  return new TempoQuery().datasource(TEMPO).queryType('serviceMap').serviceMapQuery(selector).refId(refId(0));
}
