import { parentPort, workerData } from 'node:worker_threads';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import type { SinkSettings } from '../export/sink.ts';
import { exporterOptions } from '../export/worker-http.ts';
import { toScopeMetrics } from './otlp.ts';
import type { FromPusher, PushStart, ToPusher } from './push.ts';
import type { Family, Sample } from './types.ts';

// The thread that pushes metrics: OpenTelemetry's own periodic reader and exporter, fed by the registry of the main thread.
const { settings, intervalMs, startedAt } = workerData as PushStart;
const port = parentPort!;
// One push is over before the next begins.
const timeoutMillis = Math.min(settings.target.timeoutMs, intervalMs);
const options = {
  ...exporterOptions(settings as SinkSettings),
  timeoutMillis,
  temporalityPreference: AggregationTemporality.CUMULATIVE,
};
const exporter = settings.target.protocol === 'http/protobuf' ? new ProtobufExporter(options) : new OTLPMetricExporter(options);
const resource = resourceFromAttributes({ ...(settings.resource as Record<string, string>) });
const rounds = new Map<number, { families: (Family & { samples: readonly Sample[] })[]; done: () => void }>();
let round = 0;

const counting: PushMetricExporter = {
  export(metrics, done) {
    const started = performance.now();
    const points = metrics.scopeMetrics
      .flatMap((scope) => scope.metrics)
      .reduce((sum, { dataPoints }) => sum + dataPoints.length, 0);
    exporter.export(metrics, (result: ExportResult) => {
      const error = result.code === ExportResultCode.SUCCESS ? undefined : (result.error?.message ?? 'export failed');
      send({ type: 'pushed', points, seconds: (performance.now() - started) / 1000, error });
      // Reported above; the reader would only report it once more.
      done({ code: ExportResultCode.SUCCESS });
    });
  },
  forceFlush: () => exporter.forceFlush(),
  shutdown: () => exporter.shutdown(),
};

const reader = new PeriodicExportingMetricReader({
  exporter: counting,
  exportIntervalMillis: intervalMs,
  exportTimeoutMillis: timeoutMillis,
});

reader.setMetricProducer({
  async collect(): Promise<CollectionResult> {
    const id = ++round;
    const families = await new Promise<(Family & { samples: readonly Sample[] })[]>((resolve) => {
      const collected: (Family & { samples: readonly Sample[] })[] = [];
      rounds.set(id, { families: collected, done: () => resolve(collected) });
      send({ type: 'collect', round: id });
    });
    rounds.delete(id);
    return { resourceMetrics: { resource, scopeMetrics: [toScopeMetrics(families, startedAt)] }, errors: [] };
  },
});

port.on('message', (message: ToPusher) => {
  if (message.type === 'family') rounds.get(message.round)?.families.push(message.family);
  else if (message.type === 'end') rounds.get(message.round)?.done();
  else {
    const { id } = message;
    reader.forceFlush().then(
      () => send({ type: 'flushed', id }),
      () => send({ type: 'flushed', id }),
    );
  }
});

function send(message: FromPusher): void {
  port.postMessage(message);
}
