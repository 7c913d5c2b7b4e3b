import type { Duplex } from 'node:stream';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { SCOPE } from '../names.ts';
import { createRedactor } from '../redaction.ts';
import { BODY, toRecord } from './log-record.ts';
import { createLogExporter, type LogExporter, openTransport } from './pino-transport.ts';
import type { LogItem, Report, Sink, SinkSettings } from './sink.ts';
import { exporterOptions } from './worker-http.ts';

/** How long the transport's own batch stays open: it is handed whole batches, so it need not wait for company. */
const CLOSE_BATCH_MS = 5;
/** Batches inside the transport: one on its way, one behind it. */
const BATCHES_INSIDE = 2;

const STANDARD: Readonly<Record<number, string>> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

/**
 * The sending end for log lines: pino-opentelemetry-transport with its own mapping, batching and exporter, which is wrapped
 * so that the fate of every record is known. Lines wait here, not in the transport, whose queue drops without a word.
 */
export function createLogSink(settings: SinkSettings, report: Report): Sink<LogItem> {
  const { batchSize, queueSize, delayMs, target } = settings;
  const redactor = createRedactor(settings.redactKeys);
  const severities: Record<number, number> = {};
  const labels: Record<number, string> = { ...STANDARD };
  const idle = new Set<() => void>();
  let waiting: LogItem[] = [];
  let inside = 0;
  let stream: Duplex | undefined;
  let failure: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let flushing = false;

  const processorConfig = {
    exporter: counting(createLogExporter(target.protocol, exporterOptions(settings))),
    maxQueueSize: batchSize * BATCHES_INSIDE,
    maxExportBatchSize: batchSize,
    scheduledDelayMillis: CLOSE_BATCH_MS,
    // The exporter keeps the time itself, retries included; a second clock here would only race it.
    exportTimeoutMillis: target.timeoutMs + 5000,
  };
  const options = {
    loggerName: SCOPE,
    serviceVersion: '',
    resourceAttributes: { ...settings.resource },
    severityNumberMap: severities,
    // The exporter named here is never used: the one in processorConfig takes its place.
    logRecordProcessorOptions: { recordProcessorType: 'batch', exporterOptions: { protocol: 'console' }, processorConfig },
  } as const;
  openTransport(options, { levels: { labels }, messageKey: BODY }).then(
    (opened) => {
      stream = opened;
      stream.on('error', (error: Error) => fail(error.message));
      feed();
    },
    (error: Error) => fail(error.message),
  );

  function counting(inner: LogExporter): LogExporter {
    return {
      export(records, done: (result: ExportResult) => void) {
        const started = performance.now();
        inner.export(records, (result) => {
          const ok = result.code === ExportResultCode.SUCCESS;
          settle({
            exported: ok ? records.length : 0,
            dropped: ok ? 0 : records.length,
            error: ok ? undefined : (result.error?.message ?? 'export failed'),
            seconds: (performance.now() - started) / 1000,
          });
          done(result);
        });
      },
      forceFlush: () => inner.forceFlush(),
      shutdown: () => inner.shutdown(),
    };
  }

  function settle(result: Parameters<Report>[0]): void {
    inside -= result.exported + result.dropped;
    report(result);
    feed();
    if (inside === 0 && waiting.length === 0) for (const resolve of idle) resolve();
  }

  function fail(error: string): void {
    failure = error;
    const dropped = inside + waiting.length;
    inside = dropped;
    waiting = [];
    if (dropped > 0) settle({ exported: 0, dropped, error, seconds: 0 });
  }

  /** Hands over whole batches, or what there is where `now` or a flush says so, as far as there is room. */
  function feed(now = flushing): void {
    if (stream === undefined || waiting.length === 0) return;
    const room = batchSize * BATCHES_INSIDE - inside;
    const count = now || waiting.length >= batchSize ? Math.min(room, waiting.length) : 0;
    if (count > 0) {
      clearTimeout(timer);
      timer = undefined;
      const items = waiting.slice(0, count);
      waiting = waiting.slice(count);
      inside += items.length;
      for (const item of items) stream.push(record(item));
    }
    if (waiting.length > 0 && inside === 0) timer ??= setTimeout(feed, delayMs, true).unref();
  }

  function record(item: LogItem) {
    const { level } = item;
    // Levels between the standard ones keep their place: OpenTelemetry has four severities for each of pino's six.
    severities[level] ??= Math.max(1, Math.min(24, 1 + Math.floor(((level - 10) / 10) * 4)));
    labels[level] ??= STANDARD[Math.max(10, Math.min(60, Math.floor(level / 10) * 10))];
    return toRecord(item, redactor);
  }

  return {
    write(items) {
      if (failure !== undefined) {
        inside += items.length;
        settle({ exported: 0, dropped: items.length, error: failure, seconds: 0 });
        return;
      }
      const room = Math.max(0, queueSize - inside - waiting.length);
      waiting = waiting.concat(items.slice(0, room));
      if (room < items.length) {
        const dropped = items.length - room;
        inside += dropped;
        settle({ exported: 0, dropped, reason: 'queue_full', seconds: 0 });
      } else feed();
    },
    async flush(timeoutMs) {
      if (inside === 0 && waiting.length === 0) return;
      flushing = true;
      let done: () => void = () => {};
      const settled = new Promise<void>((resolve) => {
        done = resolve;
        idle.add(resolve);
      });
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, timeoutMs).unref());
      feed();
      await Promise.race([settled, timeout]);
      idle.delete(done);
      flushing = idle.size > 0;
    },
  };
}
