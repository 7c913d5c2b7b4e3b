import { loadConfig } from '../../instrumentation/config.ts';
import type { Diagnostics } from '../../instrumentation/diagnostics.ts';
import { createStats, type ExportStats } from '../../instrumentation/export/stats.ts';
import { createMetrics, type Metrics } from '../../instrumentation/metrics/metrics.ts';
import { type ParsedPage, parsePage } from './parse.ts';

export const OPENMETRICS = 'application/openmetrics-text';

/** The kit's messages as a list. */
export function recorder(): Diagnostics & { readonly lines: string[] } {
  const lines: string[] = [];
  const keys = new Set<string>();
  const log = (message: string, key = message) => {
    // As the real one does: what repeats is not said again.
    if (!keys.has(key)) lines.push(message);
    keys.add(key);
  };
  return { lines, error: log, warn: log, info: log, debug: () => {}, line: (text) => lines.push(text) };
}

export interface Setup {
  readonly metrics: Metrics;
  readonly stats: ExportStats;
  readonly warnings: string[];
  text(accept?: string): Promise<string>;
  read(accept?: string): Promise<ParsedPage>;
}

/** Metrics as start.ts makes them, with the settings of `env` and nothing started. */
export function setup(
  env: Record<string, string> = {},
  attributes: Record<string, string | number | boolean> = { 'service.name': 'shop' },
  more: { pushWorker?: string } = {},
): Setup {
  const { config, problems } = loadConfig(env);
  if (problems.length > 0) throw new Error(problems[0].message);
  const diagnostics = recorder();
  const stats = createStats();
  const metrics = createMetrics({ config, diagnostics, stats, resource: { attributes }, ...more });
  const text = async (accept?: string) => collect((await metrics.page(accept)).chunks);
  return {
    metrics,
    stats,
    warnings: diagnostics.lines,
    text,
    read: async (accept) => parsePage(await text(accept), accept === OPENMETRICS),
  };
}

export async function collect(chunks: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk;
  return text;
}
