import type { Config } from '../config.ts';
import type { Diagnostics } from '../diagnostics.ts';
import type { ExportStats } from '../export/stats.ts';
import { createRedactor } from '../redaction.ts';
import type { Check, CheckOptions, CheckResult, Status } from './check.ts';
import { builtIns } from './checks/index.ts';
import { buildReport, type HealthReport, type ReportedCheck } from './report.ts';
import { runRepeatedly } from './runner.ts';

export type { Check, CheckOptions, Outcome, Status } from './check.ts';
export type { HealthReport } from './report.ts';

/** `starting` until the app can serve, `draining` once its end has begun. */
export type Phase = 'starting' | 'ready' | 'draining';

export interface Readiness {
  readonly ready: boolean;
  /** Why not. */
  readonly reason?: string;
}

/** The checks of a process. Every answer is made of finished runs, so it never waits for a check. */
export interface Health {
  /**
   * Adds a check, or replaces the one of the same name. Never throws: what cannot be used is reported and left out.
   *
   * @returns removes the check
   */
  register(name: string, check: Check, options?: CheckOptions): () => void;
  live(): boolean;
  ready(): Readiness;
  report(): HealthReport;
  phase(): Phase;
  setPhase(phase: Phase): void;
  start(): () => void;
}

export interface HealthDeps {
  readonly config: Pick<Config, 'requiredEnv' | 'surroundings' | 'redactKeys' | 'tracesExporter' | 'logsExporter'>;
  readonly diagnostics: Diagnostics;
  readonly stats: Pick<ExportStats, 'healthy' | 'lastError'>;
  readonly resource: { readonly serviceName: string; readonly serviceVersion?: string; readonly instanceId: string };
  /** Called after each run with its duration in seconds. */
  readonly onResult?: (check: string, status: Status, seconds: number) => void;
}

const TIMEOUT_MS = 2000;
const INTERVAL_MS = 10_000;
const SHORTEST_INTERVAL_MS = 100;
const MOST_CHECKS = 200;
const LONGEST_NAME = 100;
const LONGEST_OUTPUT = 500;

interface Entry extends ReportedCheck {
  readonly check: Check;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  result: CheckResult | undefined;
  stop: () => void;
}

const nothing = () => {};

export function createHealth({ config, diagnostics, stats, resource, onResult = nothing }: HealthDeps): Health {
  const redactor = createRedactor(config.redactKeys);
  const entries = new Map<string, Entry>();
  let started = false;
  let phase: Phase = 'starting';

  function launch(entry: Entry): void {
    entry.stop = runRepeatedly(entry.check, entry, (result) => {
      // Drivers put connection strings into their messages.
      const output = result.output === undefined ? undefined : redactor.text(result.output.slice(0, LONGEST_OUTPUT));
      entry.result = { ...result, output };
      onResult(entry.name, result.status, result.durationMs / 1000);
    });
  }

  function register(name: string, check: Check, options: CheckOptions = {}): () => void {
    if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME || typeof check !== 'function') {
      diagnostics.warn(
        `health.register: it takes a name of 1 to ${LONGEST_NAME} characters and a function; this check is left out: ${String(name).slice(0, LONGEST_NAME)}`,
      );
      return nothing;
    }
    if (!entries.has(name) && entries.size >= MOST_CHECKS) {
      diagnostics.warn(`health.register: there are ${MOST_CHECKS} checks already, the most allowed; left out: ${name}`);
      return nothing;
    }
    entries.get(name)?.stop();
    const entry: Entry = {
      name,
      check,
      required: options.required ?? true,
      componentType: options.componentType ?? 'component',
      timeoutMs: positive(options.timeout, TIMEOUT_MS),
      intervalMs: Math.max(SHORTEST_INTERVAL_MS, positive(options.interval, INTERVAL_MS)),
      result: undefined,
      stop: nothing,
    };
    entries.set(name, entry);
    if (started) launch(entry);
    return () => {
      entry.stop();
      if (entries.get(name) === entry) entries.delete(name);
    };
  }

  function ready(): Readiness {
    if (phase !== 'ready') return { ready: false, reason: phase };
    for (const { name, required, result } of entries.values()) {
      if (!required) continue;
      if (result === undefined) return { ready: false, reason: `the check "${name}" has not run yet` };
      if (result.status === 'fail') return { ready: false, reason: `the check "${name}" failed: ${result.output ?? ''}` };
    }
    return { ready: true };
  }

  for (const { name, check, ...options } of builtIns({ config, stats })) register(name, check, options);

  return {
    register,
    ready,
    live: () => true,
    phase: () => phase,
    setPhase: (next) => {
      phase = next;
    },
    report: () => buildReport({ resource, phase, checks: entries.values() }),
    start: () => {
      started = true;
      entries.forEach(launch);
      return () => {
        started = false;
        for (const entry of entries.values()) entry.stop();
      };
    },
  };
}

function positive(value: unknown, fallback: number): number {
  return typeof value === 'number' && value >= 1 && value <= 2 ** 31 - 1 ? value : fallback;
}
