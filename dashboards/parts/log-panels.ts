import { PanelBuilder as TablePanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import { LOKI } from './datasources.ts';
import { finish } from './finish.ts';
import { logInstant } from './targets.ts';
import type { DataLink, Described, Sized } from './types.ts';
import { UNIT } from './units.ts';

export interface LogTableSpec extends Described {
  /** A LogQL metric query; its labels become the columns, in this order. */
  readonly expr: string;
  readonly keys: readonly { readonly label: string; readonly name: string; readonly links?: readonly DataLink[] }[];
  /** Name of the column with the number. */
  readonly value: string;
  readonly unit?: string;
}

/** A table of what Loki counts by labels, the greatest first. */
export function logTable(spec: LogTableSpec): Sized {
  const names = [...spec.keys.map(({ label }) => label), 'Value #A'];
  const builder = new TablePanelBuilder()
    .datasource(LOKI)
    .withTarget(logInstant(spec.expr, 0))
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(names.map((name, index) => [name, index])),
        renameByName: { ...Object.fromEntries(spec.keys.map(({ label, name }) => [label, name])), 'Value #A': spec.value },
      },
    })
    .withTransformation({ id: 'sortBy', options: { fields: {}, sort: [{ field: spec.value, desc: true }] } })
    .noValue('none')
    .overrideByName(spec.value, [{ id: 'unit', value: spec.unit ?? UNIT.count }]);
  for (const { name, links } of spec.keys) if (links) builder.overrideByName(name, [{ id: 'links', value: links }]);
  return finish(spec, builder, 12, 8);
}
