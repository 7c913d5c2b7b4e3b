/** Places for the map of services: callers left, called right. */
import type { ServiceMap } from '../api-types.ts';

export interface Placed {
  node: ServiceMap['nodes'][number];
  column: number;
  x: number;
  y: number;
}

export interface MapLayout {
  width: number;
  height: number;
  placed: Map<string, Placed>;
}

export const BOX = { width: 186, height: 46, gapX: 64, gapY: 20 };

/**
 * Longest path from a caller that nobody calls decides the column; edges that close a circle do not count. Within a
 * column, nodes stand by the mean place of their callers, which keeps most lines from crossing.
 */
export function layOut({ nodes, edges }: ServiceMap): MapLayout {
  const ids = new Set(nodes.map(({ id }) => id));
  const callees = new Map<string, string[]>();
  const callers = new Map<string, string[]>();
  for (const { from, to } of edges) {
    if (from === to || !ids.has(from) || !ids.has(to)) continue;
    callees.set(from, [...(callees.get(from) ?? []), to]);
    callers.set(to, [...(callers.get(to) ?? []), from]);
  }
  const column = columns(
    nodes.map(({ id }) => id),
    callees,
    callers,
  );
  const rows: string[][] = [];
  for (const { id } of nodes) (rows[column.get(id)!] ??= []).push(id);
  const place = new Map<string, number>();
  for (const row of rows) {
    const wish = (id: string) => mean((callers.get(id) ?? []).map((caller) => place.get(caller) ?? 0));
    row.sort((a, b) => wish(a) - wish(b) || (a < b ? -1 : 1));
    row.forEach((id, at) => {
      place.set(id, at - (row.length - 1) / 2);
    });
  }
  const tallest = Math.max(1, ...rows.map((row) => row.length));
  const height = tallest * (BOX.height + BOX.gapY) - BOX.gapY;
  const placed = new Map<string, Placed>();
  for (const node of nodes) {
    const at = column.get(node.id)!;
    placed.set(node.id, {
      node,
      column: at,
      x: at * (BOX.width + BOX.gapX),
      y: height / 2 - BOX.height / 2 + place.get(node.id)! * (BOX.height + BOX.gapY),
    });
  }
  return { width: rows.length * (BOX.width + BOX.gapX) - BOX.gapX, height, placed };
}

/** Depth-first, without recursion: a chain of thousands must not overflow the stack. */
function columns(ids: string[], callees: Map<string, string[]>, callers: Map<string, string[]>): Map<string, number> {
  const state = new Map<string, 'open' | 'done'>();
  const order: string[] = [];
  const forward = new Map<string, string[]>();
  const roots = ids.filter((id) => !callers.has(id));
  for (const root of [...roots, ...ids]) {
    if (state.has(root)) continue;
    const stack: { id: string; next: number }[] = [{ id: root, next: 0 }];
    state.set(root, 'open');
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const callee = (callees.get(top.id) ?? [])[top.next++];
      if (callee === undefined) {
        state.set(top.id, 'done');
        order.push(top.id);
        stack.pop();
      } else if (state.get(callee) !== 'open') {
        // An edge to an open node would close a circle.
        forward.set(top.id, [...(forward.get(top.id) ?? []), callee]);
        if (!state.has(callee)) {
          state.set(callee, 'open');
          stack.push({ id: callee, next: 0 });
        }
      }
    }
  }
  const column = new Map(ids.map((id) => [id, 0]));
  for (const id of order.reverse()) {
    for (const callee of forward.get(id) ?? []) column.set(callee, Math.max(column.get(callee)!, column.get(id)! + 1));
  }
  return column;
}

function mean(values: number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
