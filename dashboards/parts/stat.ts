import {
  BigValueColorMode,
  BigValueGraphMode,
  ReduceDataOptionsBuilder,
  VizOrientation,
} from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PROMETHEUS } from './datasources.ts';
import { finish, thresholds } from './finish.ts';
import { type Query, range } from './targets.ts';
import type { Described, Sized, Step } from './types.ts';
import { COLOUR, type Unit } from './units.ts';

export interface StatSpec extends Described {
  readonly unit: Unit;
  readonly queries: readonly Query[];
  readonly thresholds?: readonly Step[];
  readonly decimals?: number;
  /** Without the small line behind the number. */
  readonly plain?: boolean;
  /** What it says where there is no series. */
  readonly none?: string;
}

/** One number: the last value, coloured by its thresholds, over a line of how it came about. */
export function stat(spec: StatSpec): Sized {
  const builder = new PanelBuilder()
    .datasource(PROMETHEUS)
    .targets(spec.queries.map(range))
    .unit(spec.unit)
    .thresholds(thresholds(spec.thresholds ?? [[null, COLOUR.plain]]))
    .colorMode(BigValueColorMode.Value)
    .graphMode(spec.plain ? BigValueGraphMode.None : BigValueGraphMode.Area)
    .orientation(VizOrientation.Auto)
    // The builder's default of no calculation shows a gap at the end as no value.
    .reduceOptions(new ReduceDataOptionsBuilder().values(false).calcs(['lastNotNull']).fields(''))
    .noValue(spec.none ?? '–');
  if (spec.decimals !== undefined) builder.decimals(spec.decimals);
  return finish(spec, builder, 4, 4);
}
