import { HeatmapCellLayout } from '@grafana/grafana-foundation-sdk/common';
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder,
  RowsHeatmapOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { PROMETHEUS } from './datasources.ts';
import { finish } from './finish.ts';
import { buckets } from './targets.ts';
import type { Described, Sized } from './types.ts';
import type { Unit } from './units.ts';

export interface HeatmapSpec extends Described {
  readonly unit: Unit;
  /** Gives the buckets of a histogram, by `le`. */
  readonly expr: string;
}

/** How the values of a histogram are spread over its buckets, as time goes. */
export function heatmap(spec: HeatmapSpec): Sized {
  const builder = new PanelBuilder()
    .datasource(PROMETHEUS)
    .withTarget(buckets(spec.expr))
    .calculate(false)
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Spectral').exponent(0.5).steps(64))
    .rowsFrame(new RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Auto))
    .yAxis(new YAxisConfigBuilder().unit(spec.unit))
    .unit(spec.unit)
    .filterValues({ build: () => ({ le: 1e-9 }) });
  return finish(spec, builder, 12, 8);
}
