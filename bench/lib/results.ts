import { type Delivers, type Group, keyOf, variantOf } from './catalog.ts';
import type { Entry, RunEntry } from './journal.ts';
import type { Durations, Sample } from './measure.ts';
import { type Spread, spread } from './statistics.ts';

/** `bench/results.json`: where and what, and every run. */
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
  readonly durations: Durations;
  readonly rounds: number;
  readonly groups: readonly Group[];
  /** What could not be measured here, and why. */
  readonly skipped: readonly string[];
  readonly entries: readonly Entry[];
}

/** A variant in a group, over all rounds; every comparison is with the bare run of the same round. */
export interface Row {
  readonly variant: string;
  readonly title: string;
  readonly ratio?: Spread;
  readonly perSecond?: Spread;
  readonly cpuUs?: Spread;
  readonly addedCpuUs?: Spread;
  /** The kit's added CPU as a share of this variant's. */
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

/** Received ÷ expected, over all rounds; undefined where the variant is not to deliver it. */
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
  const byRound = (variant: string) =>
    new Map(runs.filter((run) => run.variant === variant).map(({ round, sample }) => [round, sample]));
  const bare = byRound('bare');
  const kit = byRound('kit');
  return group.variants.map((name) => {
    const own = byRound(name);
    const samples = [...own.values()];
    const each = (read: (sample: Sample) => number | undefined) => spread(samples.map(read));
    const beside = (read: (sample: Sample, bare: Sample) => number | undefined) =>
      spread([...own].map(([round, sample]) => (bare.has(round) ? read(sample, bare.get(round)!) : undefined)));
    const added = (sample: Sample, round: number) => sample.full.cpuUs - bare.get(round)!.full.cpuUs;
    const shares = [...own].map(([round, sample]) =>
      kit.has(round) && bare.has(round) ? added(kit.get(round)!, round) / added(sample, round) : undefined,
    );
    const { title, delivers, sampled } = variantOf(name);
    const failures = entries.filter((entry) => entry.kind === 'failure' && entry.group === key && entry.variant === name);
    return {
      variant: name,
      title,
      ratio: beside((sample, base) => sample.full.perSecond / base.full.perSecond),
      perSecond: each((sample) => sample.full.perSecond),
      cpuUs: each((sample) => sample.full.cpuUs),
      addedCpuUs: beside((sample, base) => sample.full.cpuUs - base.full.cpuUs),
      kitShare: name === 'bare' || name.startsWith('kit') ? undefined : spread(shares),
      p50: each((sample) => sample.fixed?.p50),
      p99: each((sample) => sample.fixed?.p99),
      keptUp: each((sample) => sample.fixed && Math.min(1, sample.fixed.achieved / sample.fixed.rate)),
      rssMb: each((sample) => sample.full.rssMb),
      addedRssMb: beside((sample, base) => sample.full.rssMb - base.full.rssMb),
      coldMs: each((sample) => sample.start.cold),
      warmMs: each((sample) => sample.start.warm),
      addedColdMs: beside((sample, base) => sample.start.cold - base.start.cold),
      addedWarmMs: beside((sample, base) => sample.start.warm - base.start.warm),
      slowCpu: each((sample) => sample.slow?.cpuPercent),
      slowAddedCpu: beside((sample, base) =>
        sample.slow && base.slow ? sample.slow.cpuPercent - base.slow.cpuPercent : undefined,
      ),
      slowRssMb: each((sample) => sample.slow?.rssMb),
      slowAddedRssMb: beside((sample, base) => (sample.slow && base.slow ? sample.slow.rssMb - base.slow.rssMb : undefined)),
      delivered: samples.length > 0 && delivers.spans ? delivered(samples, group, delivers, sampled) : undefined,
      killed: samples.filter((sample) => sample.killed).length,
      failedRequests: samples.reduce((sum, sample) => sum + sample.failed, 0),
      // One that was measured in a later attempt is no failure any more.
      failures: failures.flatMap((entry) => (entry.kind === 'failure' && !own.has(entry.round) ? [entry.reason] : [])),
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
