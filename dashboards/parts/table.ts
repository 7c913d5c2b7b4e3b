import { TableCellHeight, TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common';
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PROMETHEUS } from './datasources.ts';
import { finish } from './finish.ts';
import { instant, refId } from './targets.ts';
import type { DataLink, Described, Sized, Step } from './types.ts';
import type { Unit } from './units.ts';

/** A column with a number, from a query that gives one series a row. */
export interface Column {
  readonly name: string;
  readonly expr: string;
  readonly unit: Unit;
  readonly decimals?: number;
  /** Colours the cells. */
  readonly thresholds?: readonly Step[];
  /** A bar in the cell, long for the greatest value. */
  readonly bar?: boolean;
  readonly hidden?: boolean;
  readonly width?: number;
}

/** A column with the value of a label. */
export interface Key {
  readonly label: string;
  readonly name: string;
  readonly links?: readonly DataLink[];
  readonly width?: number;
}

export interface TableSpec extends Described {
  readonly keys: readonly Key[];
  readonly columns: readonly Column[];
  /** Name of the column that is sorted by, greatest first. */
  readonly sort?: string;
  readonly none?: string;
}

/** A table: one row for each set of labels, its numbers from one query a column, as they are at the end of the shown time. */
export function table(spec: TableSpec): Sized {
  const { keys, columns } = spec;
  // With one query Grafana names its value otherwise than with several.
  const field = (index: number) => (columns.length === 1 ? 'Value' : `Value #${refId(index)}`);
  const builder = new PanelBuilder()
    .datasource(PROMETHEUS)
    .targets(columns.map(({ expr }, index) => instant(expr, index)))
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: {
          Time: true,
          ...Object.fromEntries(columns.flatMap(({ hidden }, index) => (hidden ? [[field(index), true]] : []))),
        },
        indexByName: Object.fromEntries(
          [...keys.map(({ label }) => label), ...columns.map((_, index) => field(index))].map((name, index) => [name, index]),
        ),
        renameByName: Object.fromEntries([
          ...keys.map(({ label, name }) => [label, name]),
          ...columns.map(({ name }, index) => [field(index), name]),
        ]),
      },
    })
    .filterable(true)
    .cellHeight(TableCellHeight.Sm)
    .noValue(spec.none ?? 'none');
  if (spec.sort) builder.sortBy([new TableSortByFieldStateBuilder().displayName(spec.sort).desc(true)]);
  for (const key of keys) {
    const properties: DynamicConfigValue[] = [];
    if (key.links) properties.push({ id: 'links', value: key.links });
    if (key.width) properties.push({ id: 'custom.width', value: key.width });
    if (properties.length > 0) builder.overrideByName(key.name, properties);
  }
  for (const column of columns.filter(({ hidden }) => !hidden)) builder.overrideByName(column.name, propertiesOf(column));
  return finish(spec, builder, 24, 8);
}

function propertiesOf({ unit, decimals, thresholds, bar, width }: Column): DynamicConfigValue[] {
  const properties: DynamicConfigValue[] = [{ id: 'unit', value: unit }];
  if (decimals !== undefined) properties.push({ id: 'decimals', value: decimals });
  if (width) properties.push({ id: 'custom.width', value: width });
  if (thresholds) {
    properties.push({
      id: 'thresholds',
      value: { mode: 'absolute', steps: thresholds.map(([value, color]) => ({ value, color })) },
    });
  }
  if (bar) properties.push({ id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' } });
  else if (thresholds) properties.push({ id: 'custom.cellOptions', value: { type: 'color-text' } });
  return properties;
}
