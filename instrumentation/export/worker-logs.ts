import type { Duplex } from 'node:stream';
import { SCOPE } from '../names.ts';
import { createRedactor } from '../redaction.ts';
import { BODY, severityNumber, toRecord } from './log-record.ts';
import { outcomeOf } from './outcome.ts';
import { onPartialSuccess, type PartialSuccess } from './partial-success.ts';
import { createLogExporter, type LogExporter, openTransport } from './pino-transport.ts';
import type { LogItem, Outcome, Report, Sink, SinkSettings } from './sink.ts';
import { exporterOptions } from './worker-http.ts';

/** How long the transport's own batch stays open: it is handed whole batches, so it need not wait for company. */
const CLOSE_BATCH_MS = 5;
/** Characters in one batch: a line may be long, and backends refuse requests of some megabytes. */
const MOST_TEXT = 2 * 1024 * 1024;

const STANDARD: Readonly<Record<number, string>> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

/**
 * The sending end for log lines: pino-opentelemetry-transport with its own mapping, batching and exporter, which is wrapped
 * so that the fate of every record is known. It is given one batch at a time: the other lines wait here, because the
 * transport's queue drops without a word what does not fit.
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
  let refused: PartialSuccess | undefined;

  const processorConfig = {
    exporter: counting(createLogExporter(target.protocol, exporterOptions(settings))),
    maxQueueSize: batchSize,
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
  onPartialSuccess((answer) => {
    if (answer.rejectedLogRecords !== undefined) refused = answer;
  });

  function counting(inner: LogExporter): LogExporter {
    return {
      export(records, done) {
        const started = performance.now();
        inner.export(records, (result) => {
          const { rejectedLogRecords, errorMessage } = refused ?? {};
          refused = undefined;
          const outcome = outcomeOf(result, records.length, { count: rejectedLogRecords, message: errorMessage });
          settle({ ...outcome, seconds: (performance.now() - started) / 1000 });
          done(result);
        });
      },
      forceFlush: () => inner.forceFlush(),
      shutdown: () => inner.shutdown(),
    };
  }

  function settle(result: Outcome): void {
    inside -= result.exported + result.dropped;
    report(result);
    feed();
    if (inside === 0 && waiting.length === 0) for (const resolve of idle) resolve();
  }

  /** The transport itself is broken: nothing can be sent any more. */
  function fail(error: string): void {
    failure = error;
    inside += waiting.length;
    waiting = [];
    if (inside > 0) settle({ exported: 0, dropped: inside, error, seconds: 0 });
  }

  /** Hands over the next batch, if the last one is settled: a full one, or what there is where `now` or a flush says so. */
  function feed(now = idle.size > 0): void {
    if (stream === undefined || inside > 0 || waiting.length === 0) return;
    if (!now && waiting.length < batchSize) {
      timer ??= setTimeout(feed, delayMs, true).unref();
      return;
    }
    clearTimeout(timer);
    timer = undefined;
    let text = 0;
    while (inside < batchSize && inside < waiting.length && (inside === 0 || text + waiting[inside].line.length <= MOST_TEXT)) {
      text += waiting[inside].line.length;
      inside++;
    }
    const batch = waiting.slice(0, inside);
    waiting = waiting.slice(inside);
    for (const item of batch) stream.push(record(item));
  }

  function record(item: LogItem) {
    const { level } = item;
    severities[level] ??= severityNumber(level);
    labels[level] ??= STANDARD[Math.max(10, Math.min(60, Math.floor(level / 10) * 10))];
    return toRecord(item, redactor);
  }

  return {
    write(items) {
      const room = failure === undefined ? Math.max(0, queueSize - inside - waiting.length) : 0;
      waiting = waiting.concat(items.slice(0, room));
      feed();
      const dropped = items.length - Math.min(room, items.length);
      if (dropped > 0)
        report({ exported: 0, dropped, reason: failure ? 'export_failed' : 'queue_full', error: failure, seconds: 0 });
    },
    async flush(timeoutMs) {
      if (inside === 0 && waiting.length === 0) return;
      let done: () => void = () => {};
      const settled = new Promise<void>((resolve) => {
        done = resolve;
        idle.add(resolve);
      });
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, timeoutMs).unref());
      feed();
      await Promise.race([settled, timeout]);
      idle.delete(done);
    },
  };
}
