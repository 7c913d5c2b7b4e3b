import type { HealthCheck } from '../api-types.ts';

type Status = HealthCheck['status'];

/** What a `/health` page says. */
export interface HealthReport {
  status: Status;
  version: string;
  uptimeSeconds: number | null;
  checks: HealthCheck[];
}

const MAX_CHECKS = 200;
const MAX_TEXT = 2000;

/**
 * Reads `application/health+json`, and what is near it: words such as `up` and `ok`, checks as objects or lists.
 *
 * @returns undefined if the page is nothing of the kind
 * @see https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check-06
 */
export function parseHealth(body: string): HealthReport | undefined {
  let json: any;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  const status = statusOf(json?.status);
  if (status === undefined) return undefined;
  return {
    status,
    version: text(json.version),
    uptimeSeconds: typeof json.uptime === 'number' ? json.uptime : null,
    checks: checksOf(json.checks),
  };
}

function checksOf(checks: unknown): HealthCheck[] {
  if (typeof checks !== 'object' || checks === null) return [];
  return Object.entries(checks)
    .flatMap(([name, given]) => (Array.isArray(given) ? given : [given]).map((one) => checkOf(name, one)))
    .filter((check) => check !== undefined)
    .slice(0, MAX_CHECKS);
}

function checkOf(name: string, given: any): HealthCheck | undefined {
  const status = statusOf(typeof given === 'string' ? given : given?.status);
  if (status === undefined) return undefined;
  const { componentId, output, time, durationMs, observedValue, observedUnit } = given;
  const latency = typeof durationMs === 'number' ? durationMs : observedUnit === 'ms' ? observedValue : undefined;
  return {
    name: text(componentId) || text(given.name) || name,
    status,
    latencyMs: typeof latency === 'number' ? latency : null,
    output: text(output),
    time: text(time),
  };
}

const WORDS: Record<string, Status> = {
  pass: 'pass',
  ok: 'pass',
  up: 'pass',
  healthy: 'pass',
  warn: 'warn',
  degraded: 'warn',
  fail: 'fail',
  error: 'fail',
  down: 'fail',
  unhealthy: 'fail',
};

function statusOf(given: unknown): Status | undefined {
  const word = typeof given === 'string' ? given.toLowerCase() : '';
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT) : '';
}
