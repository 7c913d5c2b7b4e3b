import { LogsDedupStrategy, LogsSortOrder } from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder as LogsPanelBuilder } from '@grafana/grafana-foundation-sdk/logs';
import { PanelBuilder as NodeGraphPanelBuilder } from '@grafana/grafana-foundation-sdk/nodegraph';
import { PanelBuilder as TablePanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import { LOKI, TEMPO } from './datasources.ts';
import { finish } from './finish.ts';
import { lines, serviceMap, traces } from './targets.ts';
import type { Described, Sized } from './types.ts';

/** Log lines, the newest first. `query` is LogQL. */
export function logs(spec: Described & { readonly query: string; readonly limit?: number }): Sized {
  const builder = new LogsPanelBuilder()
    .datasource(LOKI)
    .withTarget(lines(spec.query, spec.limit ?? 100))
    .showTime(true)
    .showLabels(false)
    .showCommonLabels(false)
    .wrapLogMessage(true)
    .prettifyLogMessage(false)
    .enableLogDetails(true)
    .showLogContextToggle(true)
    .sortOrder(LogsSortOrder.Descending)
    .dedupStrategy(LogsDedupStrategy.None);
  return finish(spec, builder, 24, 10);
}

/** A list of traces, each with a link to itself. `query` is TraceQL. */
export function traceList(spec: Described & { readonly query: string; readonly limit?: number }): Sized {
  const builder = new TablePanelBuilder()
    .datasource(TEMPO)
    .withTarget(traces(spec.query, spec.limit ?? 20))
    .noValue('none');
  return finish(spec, builder, 12, 8);
}

/** The service graph. `selector` is a PromQL selector of service graph metrics; empty for the whole graph. */
export function graph(spec: Described & { readonly selector: string }): Sized {
  const builder = new NodeGraphPanelBuilder().datasource(TEMPO).withTarget(serviceMap(spec.selector));
  return finish(spec, builder, 24, 18);
}
