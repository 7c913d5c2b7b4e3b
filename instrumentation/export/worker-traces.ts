import { gzipSync } from 'node:zlib';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { Batcher } from './batcher.ts';
import { BodyPool } from './bodies.ts';
import { createAttributeWriter } from './otlp-json.ts';
import { readSpans } from './otlp-json-read.ts';
import { outcomeOf } from './outcome.ts';
import { onPartialSuccess } from './partial-success.ts';
import type { Outcome, Report, Sink, SinkSettings, SpanRun } from './sink.ts';
import { exporterOptions } from './worker-http.ts';

/** Exports under way at once: the next body is made while an answer is awaited. */
const CONCURRENCY = 2;
const FASTEST = { level: 1 };

/** How much longer than the exporter itself takes an export may take. */
const GRACE_MS = 5000;

interface Refusal {
  readonly rejectedSpans?: number | string;
  readonly errorMessage?: string;
}

interface Answer {
  readonly partialSuccess?: Refusal;
}

type Send = (runs: readonly SpanRun[], count: number) => Promise<Outcome>;

interface Serializer {
  serializeRequest(runs: readonly SpanRun[]): Uint8Array;
  deserializeResponse(data: Uint8Array): Answer;
}

/** The sending end for spans: OpenTelemetry's OTLP/HTTP exporter with its retries, given bodies that are nearly finished. */
export function createTraceSink(settings: SinkSettings, report: Report): Sink<SpanRun> {
  const send = settings.target.protocol === 'http/protobuf' ? protobufSender(settings) : jsonSender(settings);
  const batcher = new Batcher<SpanRun>({
    size: settings.batchSize,
    delayMs: settings.delayMs,
    concurrency: CONCURRENCY,
    send,
    report: (outcome, runs) =>
      report(
        outcome,
        runs.map(({ spans }) => spans.buffer),
      ),
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
function jsonSender(settings: SinkSettings): Send {
  const compressed = settings.target.compression === 'gzip';
  const options = exporterOptions(settings);
  const exporter = new OTLPTraceExporter({
    ...options,
    compression: 'none' as typeof options.compression,
    headers: compressed ? { ...options.headers, 'Content-Encoding': 'gzip' } : options.headers,
  });
  const head = `{"resourceSpans":[{"resource":{"attributes":${createAttributeWriter()({ ...settings.resource } as Record<string, string>)}},"scopeSpans":[`;
  const bodies = new BodyPool(CONCURRENCY);
  let answer: Answer | undefined;
  let last: Buffer | undefined;

  const serializer: Serializer = {
    serializeRequest(runs) {
      const body = bodies.join([
        ...runs.flatMap(({ scope, spans }, index) => [
          Buffer.from(`${index === 0 ? head : ']},'}{"scope":${scope},"spans":[`),
          spans,
        ]),
        Buffer.from(']}]}]}'),
      ]);
      if (!compressed) return (last = body);
      const small = gzipSync(body, FASTEST);
      bodies.release(body);
      return small;
    },
    deserializeResponse(data) {
      try {
        answer = JSON.parse(new TextDecoder().decode(data)) ?? {};
      } catch {
        // The status said that the request was accepted; an answer that cannot be read says nothing against it.
        answer = {};
      }
      return answer as Answer;
    },
  };
  (exporter as unknown as { _delegate: { _serializer: Serializer } })._delegate._serializer = serializer;

  return exporting(
    settings,
    (runs, done) => {
      let body: Buffer | undefined;
      exporter.export(runs as unknown as ReadableSpan[], (result) => {
        // Where a request failed, its connection may still be sending.
        if (body !== undefined && result.code === ExportResultCode.SUCCESS) bodies.release(body);
        done(result);
      });
      body = last;
      last = undefined;
    },
    () => {
      const said = answer?.partialSuccess;
      answer = undefined;
      return said;
    },
  );
}

/** The uncommon encoding: OpenTelemetry's own exporter and serializer, fed with spans read back from the JSON. */
function protobufSender(settings: SinkSettings): Send {
  const exporter = new ProtobufExporter(exporterOptions(settings));
  const resource = resourceFromAttributes({ ...settings.resource });
  let answer: Refusal | undefined;
  onPartialSuccess((said) => {
    if (said.rejectedSpans !== undefined) answer = said;
  });
  return exporting(
    settings,
    (runs, done) =>
      exporter.export(
        runs.flatMap((run) => readSpans(run, resource)),
        done,
      ),
    () => {
      const last = answer;
      answer = undefined;
      return last;
    },
  );
}

function exporting(
  { target }: SinkSettings,
  start: (runs: readonly SpanRun[], done: (result: ExportResult) => void) => void,
  partial: () => Refusal | undefined,
): Send {
  return (runs, count) => {
    const started = performance.now();
    return new Promise((resolve) => {
      const done = (result: ExportResult) => {
        clearTimeout(timer);
        const { rejectedSpans, errorMessage } = partial() ?? {};
        const outcome = outcomeOf(result, count, { count: rejectedSpans, message: errorMessage });
        resolve({ ...outcome, seconds: (performance.now() - started) / 1000 });
      };
      const fail = (error: Error) => done({ code: ExportResultCode.FAILED, error });
      // The exporter's own clock is that of a silent connection; one that trickles would never end.
      const timer = setTimeout(() => fail(new Error('Request timed out')), target.timeoutMs + GRACE_MS).unref();
      try {
        start(runs, done);
      } catch (error) {
        fail(error as Error);
      }
    });
  };
}
