import type { HealthReport, Readiness } from '../health/health.ts';
import type { CheckDetails } from '../health/report.ts';
import type { Worker } from './cluster-primary.ts';

const SILENT_MS = 30_000;

/** A cluster is ready when its primary is, and at least one of its workers can serve. */
export function clusterReadiness(own: Readiness, workers: readonly Worker[], now = performance.now()): Readiness {
  if (!own.ready || workers.length === 0) return own;
  const reasons = workers.map((worker) => unready(worker, now));
  return reasons.includes(undefined) ? own : { ready: false, reason: `no worker is ready: ${reasons.slice(0, 3).join('; ')}` };
}

/**
 * One report for all: under the name of a check stands an entry for each process, told apart by `componentId`. It fails
 * where no worker can serve, and warns where some cannot.
 */
export function clusterReport(own: HealthReport, workers: readonly Worker[], now = performance.now()): HealthReport {
  if (workers.length === 0) return own;
  const checks: Record<string, CheckDetails[]> = {};
  const add = (componentId: string, report: HealthReport) => {
    for (const [name, entries] of Object.entries(report.checks)) {
      (checks[name] ??= []).push(...entries.map((entry) => ({ componentId, ...entry })));
    }
  };
  add('primary', own);
  for (const { slot, health } of workers) if (health) add(`worker ${slot}`, health.report);
  const failing = workers.filter((worker) => unready(worker, now) !== undefined || worker.health?.report.status === 'fail');
  const well = own.status === 'pass' && workers.every(({ health }) => health?.report.status === 'pass') && failing.length === 0;
  const output = [
    own.output,
    ...failing.map((worker) => `worker ${worker.slot}: ${unready(worker, now) ?? worker.health?.report.output}`),
  ];
  return {
    ...own,
    status: own.status === 'fail' || failing.length === workers.length ? 'fail' : well ? 'pass' : 'warn',
    output: output.filter(Boolean).join('; ') || undefined,
    checks,
  };
}

function unready({ slot, health, healthAt }: Worker, now: number): string | undefined {
  if (health === undefined) return `worker ${slot} has not reported yet`;
  if (now - healthAt > SILENT_MS) return `worker ${slot} has said nothing for ${Math.round((now - healthAt) / 1000)} s`;
  return health.ready ? undefined : `worker ${slot}: ${health.reason}`;
}
