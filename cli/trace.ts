import type { LogList, TraceView } from '../viewer/api-types.ts';
import { style } from '../viewer/terminal/text.ts';
import { traceTree } from '../viewer/terminal/tree.ts';
import { DEFAULT_PORT } from '../viewer/viewer.ts';
import { parse, port, positive } from './arguments.ts';
import { type Command, UsageError } from './command.ts';
import { describe, portOwner } from './port-owner.ts';

const help = `Usage: o11y-kit trace <id> [options]

Prints a trace that the viewer has: its spans as a tree, with their log lines.

  --port N   port of the viewer (${DEFAULT_PORT})
  --wait     wait for the trace if it has not arrived, and for its root
  --for S    seconds to wait at most (30)
  --rows N   spans to print at most (500)`;

/** The last spans of a request come a moment after the first ones. */
const POLL_MS = 250;

const trace: Command = {
  help,
  async run(args, terminal) {
    const { values, positionals } = parse({
      args,
      allowPositionals: true,
      options: {
        port: { type: 'string', default: String(DEFAULT_PORT) },
        wait: { type: 'boolean', default: false },
        for: { type: 'string', default: '30' },
        rows: { type: 'string', default: '500' },
      },
    });
    const id = traceId(positionals);
    const at = port(values.port);
    const base = `http://localhost:${at}`;
    const deadline = Date.now() + (values.wait ? positive('--for', values.for) * 1000 : 0);
    let view = await get<TraceView>(`${base}/api/trace?id=${id}`);
    if (view === undefined) {
      const owner = await portOwner(at);
      if (owner.kind !== 'viewer') {
        terminal.error(owner.kind === 'nobody' ? nobody(at) : `${describe(at, owner)}\nNo viewer to ask for the trace.`);
        return 1;
      }
    }
    while ((view === undefined || (values.wait && !view.summary.rootSeen)) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      view = await get<TraceView>(`${base}/api/trace?id=${id}`);
    }
    if (view === undefined) {
      terminal.error(`Nothing of trace ${id} has arrived${values.wait ? '' : ' (--wait waits for it)'}.`);
      return 1;
    }
    const logs = await get<LogList>(`${base}/api/logs?trace=${id}&limit=1000`);
    terminal.out(traceTree(view, logs?.logs ?? [], style(terminal.colour), positive('--rows', values.rows)));
    return 0;
  },
};

export default trace;

/** An id, or anything that ends with one: the address of a trace's page, a traceparent. */
function traceId(positionals: string[]): string {
  const [given = ''] = positionals;
  const id = /(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/i.exec(given)?.[0];
  if (id !== undefined && positionals.length === 1) return id.toLowerCase();
  throw new UsageError(given === '' ? 'a trace id is wanted' : `"${positionals.join(' ')}" holds no trace id (32 hex digits)`);
}

function nobody(port: number): string {
  return `No viewer answers on port ${port}. Start one with: o11y-kit view`;
}

/** @returns undefined if there is no such thing, or no one to ask */
async function get<T>(url: string): Promise<T | undefined> {
  const answer = await fetch(url).catch(() => undefined);
  if (answer?.status === 200) return (await answer.json()) as T;
  await answer?.body?.cancel();
  return undefined;
}
