import { MARK, type TraceRows } from '../api-types.ts';
import type { SpanRecord } from '../store/span-record.ts';
import type { TraceRecord } from '../store/trace-record.ts';

/** A row to be: a span, or the parent of spans that has not arrived. */
interface Node {
  span: SpanRecord | undefined;
  id: string;
  /** Microseconds after the trace's start: numbers are compared many times, and much faster than bigints. */
  start: number;
  end: number;
  mark: number;
  parent: Node | undefined;
  children: Node[];
  depth: number;
  row: number;
}

export interface Layout {
  services: string[];
  names: string[];
  rows: TraceRows;
}

/**
 * Puts the spans of a trace into the order of a waterfall. It takes n log n steps whatever the spans are: ids that occur
 * twice, parents that never came, and spans that are each other's ancestors included.
 *
 * @param logs records of the trace by span id
 */
export function layout(trace: TraceRecord, logs: ReadonlyMap<string, number>): Layout {
  const nodes = link(trace);
  const roots = withMissingParents(cutCycles(nodes));
  const order = preorder(roots);
  const services = new Index();
  const names = new Index();
  const rows = emptyRows();
  for (const node of order) {
    const { span, parent, start, end } = node;
    rows.id.push(node.id);
    rows.parent.push(parent?.row ?? -1);
    rows.depth.push(node.depth);
    rows.below.push(0);
    rows.name.push(names.of(span?.name ?? ''));
    rows.service.push(services.of(span?.service ?? ''));
    rows.kind.push(span?.kind ?? 0);
    rows.startUs.push(start);
    rows.durationUs.push(micro(end - start));
    rows.mark.push(node.mark | marksOf(node));
    rows.events.push(span?.events ?? 0);
    rows.logs.push(logs.get(node.id) ?? 0);
  }
  // Children stand behind their parents: from the end, each row is finished when its parent counts it.
  for (let row = order.length - 1; row > 0; row--) {
    const parent = rows.parent[row];
    if (parent >= 0) rows.below[parent] += rows.below[row] + 1;
  }
  return { services: services.values, names: names.values, rows };
}

function link({ spans, startNs }: TraceRecord): Node[] {
  const byId = new Map<string, Node>();
  const nodes = spans.map((span) => {
    const { spanId: id } = span;
    const start = Number(span.startNs - startNs) / 1000;
    const end = Number(span.endNs - startNs) / 1000;
    const node: Node = { span, id, start, end, mark: 0, parent: undefined, children: [], depth: 0, row: 0 };
    const twin = byId.get(id);
    if (twin) {
      twin.mark |= MARK.duplicate;
      node.mark |= MARK.duplicate;
    } else byId.set(id, node);
    return node;
  });
  for (const node of nodes) {
    const parent = byId.get(node.span!.parentSpanId);
    // A second span of the same id hangs beside the first, not below itself.
    if (parent && parent.id !== node.id) node.parent = parent;
    else if (parent) node.mark |= MARK.cycle;
  }
  return nodes;
}

/** Every node whose ancestors lead back to itself becomes a root, one a circle. */
function cutCycles(nodes: Node[]): Node[] {
  const done = new Set<Node>();
  for (const start of nodes) {
    const path = new Set<Node>();
    let node: Node | undefined = start;
    while (node && !done.has(node) && !path.has(node)) {
      path.add(node);
      node = node.parent;
    }
    if (node && path.has(node)) {
      node.parent = undefined;
      node.mark |= MARK.cycle;
    }
    for (const seen of path) done.add(seen);
  }
  return nodes;
}

/** Spans whose parent has not arrived get a row for it, so that siblings stand together. */
function withMissingParents(nodes: Node[]): Node[] {
  const missing = new Map<string, Node>();
  const roots: Node[] = [];
  for (const node of nodes) {
    if (node.parent) {
      node.parent.children.push(node);
      continue;
    }
    const id = node.span!.parentSpanId;
    if (id === '' || node.mark & MARK.cycle) {
      roots.push(node);
      continue;
    }
    let parent = missing.get(id);
    if (parent === undefined) {
      parent = { ...node, span: undefined, id, mark: MARK.missing, children: [] };
      missing.set(id, parent);
      roots.push(parent);
    }
    parent.start = Math.min(parent.start, node.start);
    parent.end = Math.max(parent.end, node.end);
    node.parent = parent;
    parent.children.push(node);
  }
  return roots;
}

/** Parents before children, siblings by their start. Without recursion: a trace may be deeper than the stack. */
function preorder(roots: Node[]): Node[] {
  const order: Node[] = [];
  const stack: Node[] = [];
  const pushAll = (nodes: Node[]) => {
    // Those that start together stay in the order in which they came.
    if (nodes.length > 1) nodes.sort((a, b) => a.start - b.start);
    for (let i = nodes.length - 1; i >= 0; i--) stack.push(nodes[i]);
  };
  pushAll(roots);
  for (let node = stack.pop(); node; node = stack.pop()) {
    node.row = order.length;
    node.depth = node.parent ? node.parent.depth + 1 : 0;
    order.push(node);
    pushAll(node.children);
  }
  return order;
}

function marksOf({ span, parent, start, end }: Node): number {
  let mark = 0;
  if (span?.error) mark |= MARK.error;
  if (span?.exception) mark |= MARK.exception;
  if (span && span.links > 0) mark |= MARK.links;
  if (parent?.span && (start < parent.start || end > parent.end)) mark |= MARK.outside;
  return mark;
}

/** Without the dust that subtracting doubles leaves: nanoseconds are the finest there is. */
function micro(us: number): number {
  return Math.round(us * 1000) / 1000;
}

/** Texts by their place in a list. */
class Index {
  readonly values: string[] = [];
  readonly #places = new Map<string, number>();

  of(text: string): number {
    let place = this.#places.get(text);
    if (place === undefined) {
      place = this.values.push(text) - 1;
      this.#places.set(text, place);
    }
    return place;
  }
}

function emptyRows(): TraceRows {
  return {
    id: [],
    parent: [],
    depth: [],
    below: [],
    name: [],
    service: [],
    kind: [],
    startUs: [],
    durationUs: [],
    mark: [],
    events: [],
    logs: [],
  };
}
