import { failed, redOfSpan } from '../metrics/red-of-span.ts';
import type { Span } from '../model.ts';
import { duration, pad, type Style, safe } from './text.ts';

/**
 * A request as one line; undefined for a span that is only a step of one.
 *
 * `12:00:01.123  200  GET /orders/:id            12.3 ms  shop  5b8efff798038103d269b633813fc60c`
 */
export function requestLine(span: Span, style: Style): string | undefined {
  const key = redOfSpan(span);
  if (key === undefined || !('route' in key)) return undefined;
  const error = failed(span);
  const status = statusOf(span, error);
  const paint = error ? style.red : status.startsWith('4') ? style.yellow : style.green;
  const name = pad(safe(`${key.method} ${key.route || span.name}`.trim()), 40);
  const took = duration(span.durationMs).padStart(11);
  const message = error && span.status.message !== '' ? `  ${style.red(safe(span.status.message.slice(0, 200)))}` : '';
  const ids = `${style.cyan(safe(span.service))}  ${style.dim(span.traceId)}`;
  return `${style.dim(clock(span.endNs))}  ${paint(status.padEnd(5))}  ${name} ${took}  ${ids}${message}`;
}

function statusOf({ attributes }: Span, error: boolean): string {
  const code = attributes['http.response.status_code'] ?? attributes['http.status_code'];
  return typeof code === 'number' || typeof code === 'string' ? safe(String(code).slice(0, 5)) : error ? 'error' : 'ok';
}

/** Local time of day. */
function clock(ns: bigint): string {
  const at = new Date(Number(ns / 1_000_000n));
  if (Number.isNaN(at.getTime())) return '--:--:--.---';
  const two = (n: number) => String(n).padStart(2, '0');
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}
