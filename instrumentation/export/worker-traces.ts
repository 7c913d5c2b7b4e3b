import { gzipSync } from 'node:zlib';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { Batcher } from './batcher.ts';
import { attributes } from './otlp-json.ts';
import { readSpans } from './otlp-json-read.ts';
import type { Outcome, Report, Sink, SinkSettings, SpanRun } from './sink.ts';
import { exporterOptions } from './worker-http.ts';

/** Exports under way at once: the next body is made while an answer is awaited. */
const CONCURRENCY = 2;
const FASTEST = { level: 1 };

interface PartialSuccess {
  readonly partialSuccess?: { readonly rejectedSpans?: number | string; readonly errorMessage?: string };
}

interface Serializer {
  serializeRequest(runs: readonly SpanRun[]): Uint8Array;
  deserializeResponse(data: Uint8Array): PartialSuccess;
}

/** The sending end for spans: OpenTelemetry's OTLP/HTTP exporter with its retries, given bodies that are nearly finished. */
export function createTraceSink(settings: SinkSettings, report: Report): Sink<SpanRun> {
  const send = settings.target.protocol === 'http/protobuf' ? protobufSender(settings) : jsonSender(settings);
  const batcher = new Batcher<SpanRun>({
    size: settings.batchSize,
    delayMs: settings.delayMs,
    concurrency: CONCURRENCY,
    send,
    report,
  });
  return {
    write(runs) {
      for (const run of runs) batcher.add(run, run.count);
    },
    async flush(timeoutMs) {
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, timeoutMs).unref());
      await Promise.race([batcher.flush(), timeout]);
    },
  };
}

/**
 * The spans arrive as JSON; what is left is to put the resource around them. The exporter is OpenTelemetry's with another
 * serializer, and bodies are compressed here: its own compression is the slowest that gzip has.
 */
function jsonSender(settings: SinkSettings): (runs: readonly SpanRun[], count: number) => Promise<Outcome> {
  const compressed = settings.target.compression === 'gzip';
  const options = exporterOptions(settings);
  const exporter = new OTLPTraceExporter({
    ...options,
    compression: 'none' as typeof options.compression,
    headers: compressed ? { ...options.headers, 'Content-Encoding': 'gzip' } : options.headers,
  });
  const head = `{"resourceSpans":[{"resource":{"attributes":${attributes({ ...settings.resource } as Record<string, string>)}},"scopeSpans":[`;
  let answer: PartialSuccess | undefined;

  const serializer: Serializer = {
    serializeRequest(runs) {
      const body = Buffer.from(`${head}${runs.map(({ scope, spans }) => `{"scope":${scope},"spans":[${spans}]}`).join(',')}]}]}`);
      return compressed ? gzipSync(body, FASTEST) : body;
    },
    deserializeResponse(data) {
      try {
        answer = JSON.parse(new TextDecoder().decode(data)) ?? {};
      } catch {
        // The status said that the request was accepted; an answer that cannot be read says nothing against it.
        answer = {};
      }
      return answer as PartialSuccess;
    },
  };
  (exporter as unknown as { _delegate: { _serializer: Serializer } })._delegate._serializer = serializer;

  return (runs, count) =>
    exporting(
      (done) => exporter.export(runs as unknown as ReadableSpan[], done),
      count,
      () => {
        const last = answer;
        answer = undefined;
        return last;
      },
    );
}

/** The uncommon encoding: OpenTelemetry's own exporter and serializer, fed with spans read back from the JSON. */
function protobufSender(settings: SinkSettings): (runs: readonly SpanRun[], count: number) => Promise<Outcome> {
  const exporter = new ProtobufExporter(exporterOptions(settings));
  const resource = resourceFromAttributes({ ...settings.resource });
  return (runs, count) =>
    exporting(
      (done) =>
        exporter.export(
          runs.flatMap((run) => readSpans(run, resource)),
          done,
        ),
      count,
      () => undefined,
    );
}

function exporting(
  start: (done: (result: ExportResult) => void) => void,
  count: number,
  partial: () => PartialSuccess | undefined,
): Promise<Outcome> {
  const started = performance.now();
  return new Promise((resolve) => {
    const done = (result: ExportResult) =>
      resolve({ ...outcome(result, count, partial()), seconds: (performance.now() - started) / 1000 });
    try {
      start(done);
    } catch (error) {
      done({ code: ExportResultCode.FAILED, error: error as Error });
    }
  });
}

function outcome({ code, error }: ExportResult, count: number, answer: PartialSuccess | undefined): Omit<Outcome, 'seconds'> {
  if (code !== ExportResultCode.SUCCESS) {
    const status = (error as { code?: unknown } | undefined)?.code;
    const refused = typeof status === 'number' && status >= 400 && status < 500;
    return {
      exported: 0,
      dropped: count,
      reason: refused ? 'rejected' : 'export_failed',
      error: error?.message || `HTTP status ${status ?? 'unknown'}`,
    };
  }
  const rejected = Math.min(count, Number(answer?.partialSuccess?.rejectedSpans) || 0);
  if (rejected === 0) return { exported: count, dropped: 0 };
  const why = answer?.partialSuccess?.errorMessage || 'partly refused by the backend';
  return { exported: count - rejected, dropped: rejected, reason: 'rejected', error: why };
}
