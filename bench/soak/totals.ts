import { METRICS } from '../../instrumentation/names.ts';

export interface SignalTotals {
  readonly exported: number;
  readonly dropped: number;
  readonly reasons: Readonly<Record<string, number>>;
}

export type Totals = Readonly<Record<'traces' | 'logs', SignalTotals>>;

/** What the kit says of its own exports on its metrics page. */
export async function readTotals(url: string): Promise<Totals> {
  const page = await (await fetch(url)).text();
  const read = (signal: string): SignalTotals => {
    const exported = Number(new RegExp(`^${METRICS.exported.name}\\{signal="${signal}"\\} (\\d+)`, 'm').exec(page)?.[1] ?? 0);
    const reasons: Record<string, number> = {};
    for (const [, reason, count] of page.matchAll(
      new RegExp(`^${METRICS.dropped.name}\\{signal="${signal}",reason="(\\w+)"\\} (\\d+)`, 'gm'),
    )) {
      if (count !== '0') reasons[reason] = Number(count);
    }
    return { exported, dropped: Object.values(reasons).reduce((sum, count) => sum + count, 0), reasons };
  };
  return { traces: read('traces'), logs: read('logs') };
}
