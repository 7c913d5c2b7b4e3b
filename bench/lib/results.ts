import { type Delivers, type Group, isKit, keyOf, variantOf } from './catalog.ts';
import type { Entry, RunEntry } from './journal.ts';
import type { Figure, Figures, Part, Sample, Schedule } from './pass.ts';
import { type Spread, spread } from './statistics.ts';

/** `bench/results.json`: where and what, and every figure. */
export interface Results {
  readonly when: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGb: number;
    readonly system: string;
    readonly pinned: boolean;
  };
  /** Of Node by major version, of the kit, the peers and the apps' packages, of PostgreSQL. */
  readonly versions: Readonly<Record<string, string>>;
  readonly generator: string;
  readonly schedule: Schedule;
  readonly groups: readonly Group[];
  /** What could not be measured here, and why. */
  readonly skipped: readonly string[];
  readonly entries: readonly Entry[];
}

/** A variant in a group, over all rounds; every comparison is with the bare app in the same round. */
export interface Row {
  readonly variant: string;
  readonly title: string;
  readonly ratio?: Spread;
  readonly cpuUs?: Spread;
  readonly addedCpuUs?: Spread;
  /** The added CPU of the table's first variant of the kit as a share of this one's. */
  readonly kitShare?: Spread;
  readonly p50?: Spread;
  readonly p99?: Spread;
  /** Share of the requests that were due at the fixed rate and were answered in its time. */
  readonly keptUp?: Spread;
  readonly rssMb?: Spread;
  readonly addedRssMb?: Spread;
  readonly coldMs?: Spread;
  readonly warmMs?: Spread;
  readonly addedColdMs?: Spread;
  readonly addedWarmMs?: Spread;
  readonly slowCpu?: Spread;
  readonly slowAddedCpu?: Spread;
  readonly slowRssMb?: Spread;
  readonly slowAddedRssMb?: Spread;
  readonly delivered?: Delivered;
  readonly killed: number;
  readonly failedRequests: number;
  readonly failures: readonly string[];
}

/** Received ÷ expected, over whole lives of processes; undefined where the variant is not to deliver it. */
export interface Delivered {
  readonly spansPerRequest: number;
  readonly server?: number;
  readonly pg?: number;
  readonly fetch?: number;
  readonly logs?: number;
  readonly metrics?: number;
}

export function rowsOf(group: Group, entries: readonly Entry[]): Row[] {
  const key = keyOf(group);
  const runs = entries.filter((entry): entry is RunEntry => entry.kind === 'run' && entry.group === key);
  const passesOf = (variant: string) =>
    new Map(runs.filter((run) => run.variant === variant).map(({ pass, sample }) => [pass, sample]));
  const bare = passesOf('bare');
  const kit = passesOf(group.variants.find(isKit) ?? '');
  return group.variants.map((name) => {
    const own = passesOf(name);
    const samples = [...own.values()];
    const each = <P extends Part>(part: P, read: (figure: Figure[P]) => number) =>
      spread(samples.flatMap((sample: Figures) => sample[part].map(read)));
    const figureOf = <P extends Part>(sample: Figures | undefined, part: P, round: number) => sample?.[part][round];
    /** With the figure of the bare app of the same round, and the kit's. */
    const beside = <P extends Part>(part: P, read: (figure: Figure[P], bare: Figure[P], kit?: Figure[P]) => number | undefined) =>
      spread(
        [...own].flatMap(([pass, sample]: [number, Figures]) =>
          sample[part].map((figure, round) => {
            const base = figureOf(bare.get(pass), part, round);
            return base && read(figure, base, figureOf(kit.get(pass), part, round));
          }),
        ),
      );
    const { title, delivers, sampled } = variantOf(name);
    const failures = entries.filter((entry) => entry.kind === 'failure' && entry.group === key && entry.variant === name);
    return {
      variant: name,
      title,
      ratio: beside('full', (turn, base) => turn.perSecond / base.perSecond),
      cpuUs: each('full', (turn) => turn.cpuUs),
      addedCpuUs: beside('full', (turn, base) => turn.cpuUs - base.cpuUs),
      kitShare:
        name === 'bare' || isKit(name)
          ? undefined
          : beside('full', (turn, base, our) => our && (our.cpuUs - base.cpuUs) / (turn.cpuUs - base.cpuUs)),
      p50: each('fixed', (turn) => turn.p50),
      p99: each('fixed', (turn) => turn.p99),
      keptUp: each('fixed', (turn) => Math.min(1, turn.achieved / turn.rate)),
      rssMb: each('full', (turn) => turn.rssMb),
      addedRssMb: beside('full', (turn, base) => turn.rssMb - base.rssMb),
      coldMs: each('start', (start) => start.cold),
      warmMs: each('start', (start) => start.warm),
      addedColdMs: beside('start', (start, base) => start.cold - base.cold),
      addedWarmMs: beside('start', (start, base) => start.warm - base.warm),
      slowCpu: each('slow', (turn) => turn.cpuPercent),
      slowAddedCpu: beside('slow', (turn, base) => turn.cpuPercent - base.cpuPercent),
      slowRssMb: each('slow', (turn) => turn.rssMb),
      slowAddedRssMb: beside('slow', (turn, base) => turn.rssMb - base.rssMb),
      delivered: samples.length > 0 && delivers.spans ? delivered(samples, group, delivers, sampled) : undefined,
      killed: samples.filter((sample) => sample.killed).length,
      failedRequests: samples.reduce((sum, sample) => sum + sample.failed, 0),
      failures: failures.flatMap((entry) => (entry.kind === 'failure' ? [entry.reason] : [])),
    };
  });
}

function delivered(samples: readonly Sample[], { app }: Group, delivers: Delivers, sampled: number): Delivered {
  const sum = (read: (sample: Sample) => number) => samples.reduce((total, sample) => total + read(sample), 0);
  const requests = sum((sample) => sample.requests);
  const spans = (kind: keyof Sample['received']['spans']) => sum(({ received }) => received.spans[kind]);
  const traced = requests * sampled;
  // The service writes a line for each request, the routes write none.
  const lines = requests * ((app === 'service' ? 1 : 0) + (delivers.accessLines ? 1 : 0));
  return {
    spansPerRequest: (spans('server') + spans('pg') + spans('fetch') + spans('other')) / requests,
    server: spans('server') / traced,
    ...(app === 'service' && { pg: spans('pg') / traced, fetch: spans('fetch') / traced }),
    ...(lines > 0 && delivers.logs && { logs: sum(({ received }) => received.logs) / lines }),
    ...(delivers.metrics && { metrics: sum(({ received }) => received.requests) / requests }),
  };
}
