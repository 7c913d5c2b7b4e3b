import {
  GraphDrawStyle,
  GraphGradientMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  LineInterpolation,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type { DataSourceRef, DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { LOKI, PROMETHEUS } from './datasources.ts';
import { finish, thresholds } from './finish.ts';
import { logRange, type Query, range } from './targets.ts';
import type { Described, Sized, Step } from './types.ts';
import type { Unit } from './units.ts';

export interface ChartSpec extends Described {
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Drawn as dashed lines. */
  readonly thresholds?: readonly Step[];
  readonly min?: number;
  readonly max?: number;
  readonly stacked?: boolean;
  /** Bars instead of lines, for things that are counted. */
  readonly bars?: boolean;
  /** A step instead of a slope, for things that are set. */
  readonly steps?: boolean;
  /** Colours by the name of a series. */
  readonly colours?: Readonly<Record<string, string>>;
  /** Series that are drawn as a dashed line, by name: a limit, say. */
  readonly dashed?: readonly string[];
  /** What the legend computes of each series; without any it is a plain list. */
  readonly calcs?: readonly ('lastNotNull' | 'max' | 'mean' | 'sum')[];
  /** What it says where there is nothing to draw. */
  readonly none?: string;
}

/** Lines (or bars) over time, from Prometheus. */
export function chart(spec: ChartSpec): Sized {
  return draw(spec, PROMETHEUS);
}

/** The same from Loki. */
export function logChart(spec: ChartSpec): Sized {
  return draw(spec, LOKI);
}

function draw(spec: ChartSpec, source: DataSourceRef): Sized {
  const { calcs = [], bars = false, stacked = false } = spec;
  const builder = new PanelBuilder()
    .datasource(source)
    .targets(spec.queries.map((query, index) => (source === PROMETHEUS ? range(query, index) : logRange(query, index))))
    .unit(spec.unit)
    .min(spec.min ?? 0)
    .lineWidth(bars ? 0 : 1)
    .fillOpacity(bars ? 70 : stacked ? 30 : 8)
    .gradientMode(bars || stacked ? GraphGradientMode.None : GraphGradientMode.Opacity)
    .drawStyle(bars ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
    .lineInterpolation(spec.steps ? LineInterpolation.StepAfter : LineInterpolation.Linear)
    .showPoints(VisibilityMode.Auto)
    .spanNulls(false)
    .noValue(spec.none ?? 'no data')
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(calcs.length > 0 ? LegendDisplayMode.Table : LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs([...calcs]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (spec.max !== undefined) builder.max(spec.max);
  if (stacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  if (spec.thresholds) {
    builder
      .thresholds(thresholds(spec.thresholds))
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  for (const [name, colour] of Object.entries(spec.colours ?? {})) builder.overrideByName(name, [fixed(colour)]);
  for (const name of spec.dashed ?? []) {
    builder.overrideByName(name, [
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 10] } },
      { id: 'custom.fillOpacity', value: 0 },
    ]);
  }
  return finish(spec, builder, 12, 8);
}

function fixed(colour: string): DynamicConfigValue {
  return { id: 'color', value: { mode: 'fixed', fixedColor: colour } };
}
