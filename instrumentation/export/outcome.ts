import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { Outcome } from './sink.ts';

const MOST_ANSWER = 300;

/**
 * What became of `count` items, from what OpenTelemetry's exporter says. An answer of 4xx is the backend's last word on them
 * (`rejected`), anything else was tried again until the time was over (`export_failed`).
 *
 * @param rejected how many of them the backend refused of a request that it accepted, and why
 */
export function outcomeOf(
  { code, error }: ExportResult,
  count: number,
  rejected: { count?: number | string; message?: string } = {},
): Omit<Outcome, 'seconds'> {
  if (code !== ExportResultCode.SUCCESS) return { exported: 0, dropped: count, ...failureOf(error) };
  const dropped = Math.max(0, Math.min(count, Number(rejected.count) || 0));
  if (dropped === 0) return { exported: count, dropped: 0 };
  return {
    exported: count - dropped,
    dropped,
    reason: 'rejected',
    error: rejected.message || 'partly refused by the backend',
  };
}

function failureOf(error: Error | undefined): Pick<Outcome, 'reason' | 'error'> {
  const { code, data } = (error ?? {}) as { code?: unknown; data?: unknown };
  const said = error?.message || 'export failed';
  if (typeof code !== 'number') return { reason: 'export_failed', error: said };
  const answer = typeof data === 'string' ? data.trim().slice(0, MOST_ANSWER) : '';
  return {
    reason: code >= 400 && code < 500 ? 'rejected' : 'export_failed',
    error: `HTTP ${code}${error?.message ? ` ${error.message}` : ''}${answer ? `: ${answer}` : ''}`,
  };
}
