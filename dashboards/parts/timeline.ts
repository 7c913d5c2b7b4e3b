import { VisibilityMode, VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import { MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PROMETHEUS } from './datasources.ts';
import { finish, thresholds } from './finish.ts';
import { type Query, range } from './targets.ts';
import type { Described, Sized } from './types.ts';
import { COLOUR, UNIT } from './units.ts';

export interface TimelineSpec extends Described {
  readonly queries: readonly Query[];
  /** Text and colour of each value. */
  readonly states: Readonly<Record<string, readonly [text: string, colour: string]>>;
  readonly none?: string;
}

/** States over time, one line a series. */
export function timeline(spec: TimelineSpec): Sized {
  const options = Object.fromEntries(
    Object.entries(spec.states).map(([value, [text, color]], index) => [value, { text, color, index }]),
  );
  const mappings: ValueMapping[] = [{ type: MappingType.ValueToText, options }];
  const builder = new PanelBuilder()
    .datasource(PROMETHEUS)
    .targets(spec.queries.map(range))
    .unit(UNIT.none)
    .mappings(mappings)
    .thresholds(thresholds([[null, COLOUR.muted]]))
    .mergeValues(true)
    .showValue(VisibilityMode.Auto)
    .rowHeight(0.85)
    .fillOpacity(75)
    .lineWidth(0)
    .legend(new VizLegendOptionsBuilder().showLegend(false))
    .noValue(spec.none ?? 'no data');
  return finish(spec, builder, 12, 6);
}
