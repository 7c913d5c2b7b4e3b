import { type Panel, RowBuilder, type RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Section } from './types.ts';

const WIDTH = 24;

/**
 * Gives every panel its place and its id: panels flow from left to right, a row begins below all that stands above it. The
 * panels of a collapsed row lie inside it, which keeps Grafana from asking for their data before it is opened.
 */
export function arrange(sections: readonly Section[]): (Panel | RowPanel)[] {
  const placed: (Panel | RowPanel)[] = [];
  let id = 0;
  let top = 0;
  for (const { title, collapsed = false, panels } of sections) {
    let row: RowPanel | undefined;
    if (title !== undefined) {
      row = new RowBuilder(title).collapsed(collapsed).build();
      row.id = ++id;
      row.gridPos = { x: 0, y: top++, w: WIDTH, h: 1 };
      placed.push(row);
    }
    const into = row && collapsed ? row.panels : placed;
    let x = 0;
    let y = top;
    let height = 0;
    for (const { panel, w, h } of panels) {
      if (x + w > WIDTH) {
        x = 0;
        y += height;
        height = 0;
      }
      into.push({ ...panel, id: ++id, gridPos: { x, y, w, h } });
      x += w;
      height = Math.max(height, h);
    }
    if (into === placed) top = y + height;
  }
  return placed;
}
