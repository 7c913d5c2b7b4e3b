import type { CheckResult, ComponentType, Status } from './check.ts';

export interface ReportedCheck {
  readonly name: string;
  readonly required: boolean;
  readonly componentType: ComponentType;
  readonly result: CheckResult | undefined;
}

/** One line of the report. `durationMs` and `required` are additions, which the format allows. */
export interface CheckDetails {
  readonly componentId?: string;
  readonly componentType: ComponentType;
  readonly status: Status;
  readonly observedValue?: string | number | boolean;
  readonly observedUnit?: string;
  /** ISO 8601; absent before the first run. */
  readonly time?: string;
  readonly output?: string;
  readonly durationMs?: number;
  readonly required: boolean;
}

/**
 * `application/health+json`.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check-06
 */
export interface HealthReport {
  readonly status: Status;
  readonly version?: string;
  readonly serviceId: string;
  readonly description: string;
  /** The phase of the process: starting, ready or draining. */
  readonly notes: readonly string[];
  readonly output?: string;
  /** Seconds since the process started. */
  readonly uptime: number;
  readonly checks: Readonly<Record<string, readonly CheckDetails[]>>;
}

export interface ReportInput {
  readonly resource: { readonly serviceName: string; readonly serviceVersion?: string; readonly instanceId: string };
  readonly phase: string;
  readonly checks: Iterable<ReportedCheck>;
}

export function buildReport({ resource, phase, checks }: ReportInput): HealthReport {
  const entries = [...checks];
  const failing = entries.filter(({ result }) => result !== undefined && result.status !== 'pass');
  const uptime = round(process.uptime());
  return {
    status: overall(entries),
    version: resource.serviceVersion || undefined,
    serviceId: resource.instanceId,
    description: resource.serviceName,
    notes: [phase],
    output: failing.map(({ name, result }) => `${name}: ${result?.output ?? result?.status}`).join('; ') || undefined,
    uptime,
    checks: Object.fromEntries([
      ...entries.map((entry) => [entry.name, [details(entry)]]),
      ['uptime', [{ componentType: 'system', status: 'pass', observedValue: uptime, observedUnit: 's', required: false }]],
    ]),
  };
}

/** A failing check that is not required only warns: it says something, but the process can serve. */
function overall(checks: readonly ReportedCheck[]): Status {
  if (checks.some(({ required, result }) => required && result?.status === 'fail')) return 'fail';
  return checks.every(({ result }) => result?.status === 'pass') ? 'pass' : 'warn';
}

function details({ componentType, required, result }: ReportedCheck): CheckDetails {
  if (result === undefined) return { componentType, status: 'warn', output: 'has not run yet', required };
  const { status, output, time } = result;
  const durationMs = round(result.durationMs);
  // Where a check observes nothing else, its response time is what it observed, as the format's own examples do.
  const { observedValue = durationMs, observedUnit = result.observedValue === undefined ? 'ms' : undefined } = result;
  return { componentType, status, observedValue, observedUnit, time: new Date(time).toISOString(), output, durationMs, required };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
