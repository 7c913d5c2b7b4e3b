/** What the project has set itself, held against what was measured. */
import { APPS, type AppName, type Group, type ModuleSystem } from './catalog.ts';
import type { Row } from './results.ts';

export interface Measured {
  readonly group: Group;
  readonly rows: readonly Row[];
}

/** One goal with the figure that it is about. */
export interface Verdict {
  readonly goal: string;
  /** As text, undefined where it was not measured. Rounded to the bad side, so that no bound looks reached that is not. */
  readonly figure: string | undefined;
  readonly met: boolean | undefined;
}

interface Bound {
  readonly least?: number;
  readonly most?: number;
}

const SYSTEMS: Record<ModuleSystem, string> = { cjs: 'CommonJS', esm: 'ES modules' };
const OTEL_SHARE: Record<AppName, number> = { express: 0.25, fastify: 0.4, service: 0.25 };
const THROUGHPUT: Record<AppName, number> = { express: 0.65, fastify: 0.45, service: 0.65 };
const SAMPLED_THROUGHPUT: Partial<Record<AppName, number>> = { express: 0.8, fastify: 0.65 };

/** In the order in which they are read. Medians of the paired rounds on Node 24. */
export function verdicts(groups: readonly Measured[]): Verdict[] {
  const made: Verdict[] = [];
  const add = (goal: string, figure: number | undefined, bound: Bound, digits = 3) =>
    made.push({
      goal,
      figure: figure === undefined ? undefined : rounded(figure, bound, digits),
      met: figure === undefined ? undefined : within(figure, bound),
    });

  for (const { group, rows } of groups.filter(({ group: { node, second } }) => node === 24 && !second)) {
    const { app } = group;
    const where = `(${APPS[app].letter}) ${SYSTEMS[group.module]}`;
    const row = (name: string) => rows.find(({ variant }) => variant === name);
    const kit = row('kit');
    add(`${where}: added CPU at most ${OTEL_SHARE[app]} of OpenTelemetry's`, row('otel')?.kitShare?.median, {
      most: OTEL_SHARE[app],
    });
    add(`${where}: added CPU at most 0.5 of dd-trace's`, row('dd-trace')?.kitShare?.median, { most: 0.5 });
    add(`${where}: received ÷ expected at least 0.999`, completeness(kit), { least: 0.999 }, 4);
    const spans = app === 'service' ? 3 : 1;
    const perRequest = kit?.delivered?.spansPerRequest;
    add(`${where}: spans a request: ${spans}`, perRequest, { least: spans * 0.999, most: spans * 1.001 });
    add(`${where}: warm start at most 100 ms later`, kit?.addedWarmMs?.median, { most: 100 }, 0);
    add(`${where}: cold start at most 200 ms later`, kit?.addedColdMs?.median, { most: 200 }, 0);
    const later = ratio(kit?.addedWarmMs?.median, row('otel')?.addedWarmMs?.median);
    add(`${where}: warm start at most 0.15 of what OpenTelemetry adds`, later, { most: 0.15 });
    if (!group.full) continue;
    add(`${where}: throughput at least ${THROUGHPUT[app]} of bare`, kit?.ratio?.median, { least: THROUGHPUT[app] });
    const least = SAMPLED_THROUGHPUT[app];
    if (least !== undefined) {
      const sampled = row('kit-1-percent');
      add(`${where}: throughput with 1 % sampled at least ${least} of bare`, sampled?.ratio?.median, { least });
      add(`${where}: every request counted with 1 % sampled`, sampled?.delivered?.metrics, { least: 1 }, 4);
      add(`${where}: RSS after load at most 30 MB more`, kit?.addedRssMb?.median, { most: 30 }, 0);
    } else {
      add(`${where} at 100 requests/s: at most 2 % of a core more`, kit?.slowAddedCpu?.median, { most: 2 }, 1);
      add(`${where} at 100 requests/s: at most 15 MB more`, kit?.slowAddedRssMb?.median, { most: 15 }, 0);
    }
  }
  return made;
}

/** The least complete of spans, log records and metric counts. */
function completeness(row: Row | undefined): number | undefined {
  const given = row?.delivered;
  if (given === undefined) return undefined;
  return Math.min(...[given.server, given.pg, given.fetch, given.logs, given.metrics].filter((share) => share !== undefined));
}

function within(figure: number, { least = -Infinity, most = Infinity }: Bound): boolean {
  return figure >= least && figure <= most;
}

function rounded(figure: number, { least, most }: Bound, digits: number): string {
  const scaled = figure * 10 ** digits;
  const round = least === undefined ? Math.ceil : most === undefined ? Math.floor : Math.round;
  // 0.999 is 998.9999999999999 thousandths.
  const nearest = Math.round(scaled);
  return ((Math.abs(scaled - nearest) < 1e-6 ? nearest : round(scaled)) / 10 ** digits).toFixed(digits);
}

function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || !b ? undefined : a / b;
}
