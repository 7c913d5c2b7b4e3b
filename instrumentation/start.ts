import { join } from 'node:path';
import { metrics as metricsApi } from '@opentelemetry/api';
import { startAdmin } from './admin/admin.ts';
import { publishApi } from './api.ts';
import { loadConfig } from './config.ts';
import { active, correlationIdOf, KitContext, ROOT, storage } from './context.ts';
import { acceptCorrelationId } from './correlation.ts';
import { createDiagnostics, reason, routeOtelDiagnostics } from './diagnostics.ts';
import { type ErrorClassifier, errorCategory, errorType, useClassifier } from './error-type.ts';
import { createShipper } from './export/shipper.ts';
import { createStats } from './export/stats.ts';
import { createHealth } from './health/health.ts';
import { watchListening } from './health/listening.ts';
import { heapLimit, nodeFlags } from './heap-limit.ts';
import { startHttp } from './http/index.ts';
import type { Kit } from './kit.ts';
import { startLibraries } from './libraries/index.ts';
import { whenEntryLoaded } from './lifecycle/entry.ts';
import { startLifecycle } from './lifecycle/lifecycle.ts';
import { createLogs } from './logs/logs.ts';
import { createMetrics } from './metrics/metrics.ts';
import { METRICS, METRICS_URL } from './names.ts';
import { createOperation } from './recorders/operation.ts';
import { resilienceOf } from './recorders/resilience.ts';
import { createRedactor } from './redaction.ts';
import { detectResource } from './resource.ts';
import { startLine } from './start-line.ts';
import { createTracing } from './traces/tracing.ts';

/** Of package.json, put in by the build. */
declare const O11Y_KIT_VERSION: string;
const version = O11Y_KIT_VERSION;

/**
 * The composition root: makes every part, hands each what it needs, and returns what ends them all.
 *
 * @throws what a part threw as it started, when those that had started have been stopped
 */
export function start(): (() => Promise<void>) | undefined {
  const stops: (() => unknown)[] = [];
  const stop = async () => {
    for (const each of stops.splice(0).reverse()) {
      try {
        await each();
      } catch {
        // The others are to be stopped all the same.
      }
    }
  };
  try {
    return begin(stops) ? stop : undefined;
  } catch (error) {
    void stop();
    throw error;
  }
}

/** @returns whether the kit is to run at all */
function begin(stops: (() => unknown)[]): boolean {
  const { config, problems } = loadConfig();
  if (config.disabled) return false;
  const diagnostics = createDiagnostics(config);
  for (const { message } of problems) diagnostics.warn(message);

  const resource = detectResource(config, version);
  const stats = createStats();
  const redactor = createRedactor(config.redactKeys);
  const shipper = createShipper({ config, diagnostics, resource, stats, dist: __dirname });
  const metrics = createMetrics({ config, diagnostics, stats, resource, pushWorker: join(__dirname, 'metrics-worker.cjs') });
  metrics.gauge(METRICS.heapSizeLimit).set({}, heapLimit(nodeFlags(config.surroundings.nodeOptions)));
  const lines = metrics.counter(METRICS.logMessages);
  const checks = { status: metrics.gauge(METRICS.healthStatus), duration: metrics.gauge(METRICS.healthDuration) };
  const tracing = createTracing({ config, diagnostics, resource, version, push: shipper.spans.push.bind(shipper.spans) });
  const logs = createLogs({
    config,
    diagnostics,
    resource,
    redactor,
    outlet: shipper.logs,
    categorize: errorCategory,
    onLine: (level) => lines.inc({ level }),
  });
  const health = createHealth({
    config,
    diagnostics,
    stats,
    resource,
    onResult: (check, status, seconds) => {
      checks.status.set({ check }, status === 'pass' ? 1 : status === 'warn' ? 0.5 : 0);
      checks.duration.set({ check }, seconds);
    },
  });
  const errors = metrics.counter(METRICS.errors);
  const unhandled = metrics.counter(METRICS.unhandledErrors);
  const onError = (error: unknown) => errors.inc({ error_type: errorType(error), error_category: errorCategory(error) });
  const kit: Kit = { version, config, diagnostics, resource, stats, tracing, metrics, logs, health, redactor, onError };

  stops.push(tracing.start(logs.records), () => shipper.stop());
  metricsApi.setGlobalMeterProvider(metrics.meterProvider);
  stops.push(routeOtelDiagnostics(diagnostics), metrics.start(), health.start());
  const listening = watchListening();
  stops.push(listening.stop, () => logs.stop());
  try {
    stops.push(logs.captureConsole(listening.isServer));
  } catch (error) {
    diagnostics.warn(
      `O11Y_INSTRUMENTATION: the console cannot be captured: ${reason(error)}. Its lines go where they always go.`,
    );
  }
  const http = startHttp(kit);
  stops.push(http.stop);
  const libraries = startLibraries(kit);
  stops.push(libraries.stop);

  const served = config.metricsExporter.includes('prometheus');
  const admin = startAdmin({ config, diagnostics, resource, metrics, servesMetrics: served, health, listening });
  stops.push(
    startLifecycle({
      config,
      diagnostics,
      health,
      listening,
      logs,
      flush: async (timeoutMs, { last }) => {
        await Promise.all([shipper.flush(timeoutMs, { last }), metrics.flush(timeoutMs), admin.flush(timeoutMs)]);
      },
      flushSync: (timeoutMs) => {
        const left = shipper.flushSync(timeoutMs);
        if (left > 0)
          diagnostics.warn(
            `${left} ${left === 1 ? 'span or log record was' : 'spans or log records were'} not delivered before the process ended.`,
          );
      },
      countUnhandled: (kind) => unhandled.inc({ kind }),
      onCrash: http.crash,
      onEnd: () => admin.stop(),
    }),
    () => admin.stop(),
  );

  const resilience = resilienceOf(kit);
  stops.push(
    publishApi({
      version,
      logger: logs.logger,
      metrics: metrics.user,
      health: { register: (name, check, options) => health.register(name, check, options) },
      correlation: {
        id: () => correlationIdOf(active()),
        run: (id, fn) => {
          const context = active();
          return storage.run((context instanceof KitContext ? context : ROOT).withCorrelationId(acceptCorrelationId(id)), fn);
        },
      },
      operation: createOperation(kit),
      errors: { classify },
      breaker: resilience.breaker,
      retry: resilience.retry,
      rateLimit: resilience.rateLimit,
      cache: resilience.cache,
    }),
  );

  let declassify: (() => void) | undefined;
  stops.push(() => declassify?.());
  function classify(classifier: ErrorClassifier): () => void {
    return (declassify = useClassifier(classifier, (problem) =>
      diagnostics.warn(
        `O11Y_CLASSIFIER: the app's classifier of errors ${problem}. The built-in one answers instead.`,
        'classifier',
      ),
    ));
  }

  const located = admin.ready.then((address) => {
    if (address && served) (resource.attributes as Record<string, unknown>)[METRICS_URL] = `${address.localUrl}/metrics`;
  });
  // An app that logs as it starts would otherwise ship its telemetry without the address.
  shipper.hold(located);
  stops.push(whenEntryLoaded(announce));

  async function announce(): Promise<void> {
    if (config.quiet) return;
    const address = await admin.ready;
    diagnostics.line(
      startLine({ version, config, resource, adminUrl: address?.url, servesMetrics: served, wired: libraries.wired() }),
    );
  }

  return true;
}
