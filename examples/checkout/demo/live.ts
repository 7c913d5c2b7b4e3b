import { setTimeout as sleep } from 'node:timers/promises';
import type { Overview, Status, TraceList, TraceSummary } from '../../../viewer/api-types.ts';
import { drawLine, drawScreen, type Picture, type Pointer } from './screen.ts';
import type { Service } from './service.ts';

/** Milliseconds between two looks at the viewer, on a terminal and elsewhere. */
const SCREEN_MS = 1000;
const LINE_MS = 10_000;

/** Milliseconds from which a request is worth being pointed at. */
const SLOW_MS = 500;

export interface LiveOptions {
  /** Base address of the viewer. */
  readonly viewer: string;
  readonly services: readonly Service[];
  readonly signal: AbortSignal;
}

/** Shows what the viewer knows until `signal` aborts: one screen on a terminal, a line now and then elsewhere. */
export async function showLive({ viewer, services, signal }: LiveOptions): Promise<void> {
  const startedAt = performance.now();
  const terminal = process.stdout.isTTY;
  const names = services.map(({ name }) => name);
  const show = async () => {
    const [overview, status, slow, failed] = await Promise.all([
      ask<Overview>(viewer, '/api/overview', signal),
      ask<Status>(viewer, '/api/status', signal),
      ask<TraceList>(viewer, `/api/traces?limit=1&minMs=${SLOW_MS}`, signal),
      ask<TraceList>(viewer, '/api/traces?limit=20&status=error', signal),
    ]);
    const picture: Picture = {
      seconds: (performance.now() - startedAt) / 1000,
      rows: overview.services
        .filter(({ service }) => names.includes(service))
        .sort((a, b) => names.indexOf(a.service) - names.indexOf(b.service))
        .map(({ service, total, logs }) => {
          const { count, rate, errorRatio, p50, p95 } = total;
          return { service, requests: count, rate, errorRatio, p50, p95, logs };
        }),
      evictedTraces: overview.dropped.evictedTraces,
      viewer,
      gateway: services[0].url,
      metrics: status.targets.filter(({ service }) => service !== null && names.includes(service)).map(({ url }) => url),
      slow: pointer(viewer, slow.traces[0]),
      // A declined payment is an error of a call on the way, too; here a failure is one that the visitor saw.
      failed: pointer(
        viewer,
        failed.traces.find((trace) => trace.httpStatus !== null && trace.httpStatus >= 500),
      ),
    };
    if (terminal) process.stdout.write(`\x1b[H${drawScreen(picture).join('\x1b[K\n')}\x1b[K\n\x1b[J`);
    else console.log(drawLine(picture));
  };
  if (terminal) process.stdout.write('\x1b[2J');
  while (!signal.aborted) {
    await show().catch((error: Error) => {
      if (!signal.aborted) console.error(`The viewer does not answer: ${error.message}`);
    });
    await sleep(terminal ? SCREEN_MS : LINE_MS, undefined, { signal }).catch(() => {});
  }
}

async function ask<T>(viewer: string, path: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(viewer + path, { signal: AbortSignal.any([signal, AbortSignal.timeout(5000)]) });
  if (!response.ok) throw new Error(`GET ${path} answered ${response.status}`);
  return (await response.json()) as T;
}

function pointer(viewer: string, trace: TraceSummary | undefined): Pointer | undefined {
  if (!trace) return undefined;
  const status = trace.httpStatus === null ? '' : `, ${trace.httpStatus}`;
  return { url: `${viewer}/t/${trace.traceId}`, what: `${trace.name}, ${Math.round(trace.durationMs)} ms${status}` };
}
