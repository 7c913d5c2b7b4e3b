import { createRequire } from 'node:module';
import { trace } from '@opentelemetry/api';
import { loadConfig } from '../../instrumentation/config.ts';
import { KitContext, type RequestState } from '../../instrumentation/context.ts';
import { createDiagnostics } from '../../instrumentation/diagnostics.ts';
import type { LogItem } from '../../instrumentation/export/sink.ts';
import { createLogs, type LogsDependencies } from '../../instrumentation/logs/logs.ts';

/** `require` of the folder in which loggers and frameworks are installed. */
export const appRequire = createRequire(new URL('../apps/package.json', import.meta.url));

export const IDS = {
  trace_id: '0af7651916cd43dd8448eb211c80319c',
  span_id: 'b7ad6b7169203331',
  trace_flags: '01',
  correlation_id: 'order-17',
} as const;

/** The context of a request with {@link IDS}. */
export function requestContext(request?: Partial<RequestState>): KitContext {
  const span = trace.wrapSpanContext({ traceId: IDS.trace_id, spanId: IDS.span_id, traceFlags: 1 });
  return new KitContext(span, IDS.correlation_id, request as RequestState | undefined);
}

/** The kit's logs with a real configuration; what they ship, count and say is kept to look at. */
export function startLogs(env: Record<string, string> = {}, more: Partial<LogsDependencies> = {}) {
  const items: LogItem[] = [];
  const levels: string[] = [];
  const messages: string[] = [];
  const { config } = loadConfig(env);
  const logs = createLogs({
    config,
    diagnostics: createDiagnostics({ logLevel: 'all' }, (line) => messages.push(line)),
    resource: { serviceName: 'shop' },
    outlet: { push: (item) => void items.push(item) },
    onLine: (level) => void levels.push(level),
    ...more,
  });
  return { logs, items, levels, messages };
}

/** Runs `fn` and returns what it wrote to stdout and stderr, which see nothing of it. */
export function captureStreams(fn: () => void): { stdout: string; stderr: string } {
  const written = { stdout: '', stderr: '' };
  const restore = (['stdout', 'stderr'] as const).map((name) => {
    const stream = process[name];
    const write = stream.write;
    stream.write = ((chunk: string | Uint8Array, ...rest: any[]) => {
      written[name] += String(chunk);
      const callback = rest.at(-1);
      if (typeof callback === 'function') callback(null);
      return true;
    }) as typeof write;
    return () => {
      stream.write = write;
    };
  });
  try {
    fn();
  } finally {
    for (const undo of restore) undo();
  }
  return written;
}
