import {
  type Context,
  context,
  INVALID_TRACEID,
  logs,
  metrics,
  type Span,
  type SpanContext,
  type SpanKind,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { logs as formerLogs } from '@opentelemetry/api-logs';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { LogRecordProcessor } from '@opentelemetry/sdk-logs';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import type { Config } from '../config.ts';
import { ROOT, storage } from '../context.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { createSpanEncoder } from '../export/otlp-json.ts';
import type { SpanRecord } from '../export/span-record.ts';
import { spanId, traceId } from '../ids.ts';
import { SCOPE } from '../names.ts';
import { createRedactor } from '../redaction.ts';
import type { Resource } from '../resource.ts';
import { createProcessor } from './processor.ts';
import { createPropagation, type Propagation } from './propagation.ts';
import { createSampler } from './sampler.ts';
import { KitSpan, type SpanHome } from './span.ts';

export interface Tracing {
  readonly propagation: Propagation;
  /** For named operations and anything off the request path. */
  readonly tracer: Tracer;
  /** Whether spans are made at all: false with `OTEL_TRACES_EXPORTER=none`, or after {@link Tracing.stepBack}. */
  readonly enabled: boolean;
  /**
   * Starts a span of the request path. A trace that sampling drops gets a non-recording span that carries its ids.
   * `startedAt` is a `performance.now()` reading.
   */
  startSpan(name: string, kind: SpanKind, parent: SpanContext | undefined, startedAt: number): Span;
  /** Another SDK makes the spans of this process: the kit makes no more of its own. */
  stepBack(reason: string): void;
  /** Registers OpenTelemetry's globals; `records` takes what comes through its Logs API. */
  start(records: LogRecordProcessor): () => Promise<void>;
}

interface Dependencies {
  readonly config: Config;
  readonly diagnostics: Diagnostics;
  readonly resource: Resource;
  readonly version: string;
  readonly push: (record: SpanRecord) => void;
}

/** OpenTelemetry's context manager on the kit's one AsyncLocalStorage. */
class KitContextManager extends AsyncLocalStorageContextManager {
  constructor() {
    super();
    (this as unknown as { _asyncLocalStorage: typeof storage })._asyncLocalStorage = storage;
  }

  override active(): Context {
    return storage.getStore() ?? ROOT;
  }

  override disable(): this {
    return this;
  }
}

const NO_ATTRIBUTES = {};

export function createTracing({ config, diagnostics, resource, version, push }: Dependencies): Tracing {
  const sampler = createSampler(config);
  const output = config.tracesExporter === 'console' ? printer(config.redactKeys) : push;
  const limits = {
    attributes: config.spanAttributeCountLimit ?? config.attributeCountLimit,
    attributeLength: config.spanAttributeLengthLimit ?? config.attributeLengthLimit,
    events: config.spanEventLimit,
    links: config.spanLinkLimit,
  };
  const home: SpanHome = { limits, version, push: (record) => output(record) };
  const propagation = createPropagation(config.propagators);
  let enabled = config.tracesExporter !== 'none';

  const followsParent = config.sampler.startsWith('parentbased_');
  function isSampled(parent: SpanContext | undefined, id: string, name: string, kind: SpanKind): boolean {
    // What the parent-based samplers do with a parent, without the two contexts that they want for it.
    if (followsParent && parent !== undefined) return (parent.traceFlags & TraceFlags.SAMPLED) !== 0;
    const context = parent === undefined ? ROOT : trace.setSpanContext(ROOT, parent);
    return sampler.shouldSample(context, id, name, kind, NO_ATTRIBUTES, []).decision === SamplingDecision.RECORD_AND_SAMPLED;
  }

  return {
    propagation,
    get enabled() {
      return enabled;
    },
    get tracer() {
      return trace.getTracer(SCOPE, version);
    },
    startSpan(name, kind, given, startedAt) {
      // What carries no trace, such as a call outside of any, hands down a span context of zeros.
      const parent = given?.traceId === INVALID_TRACEID ? undefined : given;
      const id = parent?.traceId ?? traceId();
      const traceState = parent?.traceState;
      let traceFlags = TraceFlags.NONE;
      if (enabled) {
        if (isSampled(parent, id, name, kind)) {
          const spanContext = { traceId: id, spanId: spanId(), traceFlags: TraceFlags.SAMPLED, traceState };
          return new KitSpan(home, name, kind, spanContext, parent, startedAt);
        }
      } else {
        // Not ours to decide: what the caller decided is passed on.
        traceFlags = (parent?.traceFlags ?? 0) & TraceFlags.SAMPLED;
      }
      return trace.wrapSpanContext({ traceId: id, spanId: spanId(), traceFlags, traceState });
    },
    stepBack(why) {
      if (!enabled) return;
      enabled = false;
      diagnostics.warn(
        `O11Y_FOREIGN_SDK: ${why}. It makes the spans of this process; o11y-kit keeps to metrics, logs, ids and health.`,
        'step back',
      );
    },
    start(records) {
      const sdk = new NodeSDK({
        autoDetectResources: false,
        resource: resourceFromAttributes({ ...resource.attributes }),
        contextManager: new KitContextManager(),
        textMapPropagator: propagation.all,
        sampler: enabled ? sampler : createSampler({ sampler: 'always_off', samplerArg: '0' }),
        spanLimits: {
          attributeCountLimit: limits.attributes,
          attributeValueLengthLimit: limits.attributeLength,
          eventCountLimit: limits.events,
          linkCountLimit: limits.links,
        },
        idGenerator: { generateTraceId: traceId, generateSpanId: spanId },
        spanProcessors: [createProcessor((record) => output(record))],
        metricReaders: [],
        logRecordProcessors: [records],
        instrumentations: [],
      });
      sdk.start();
      // Apps and libraries that import api-logs, as all did before the API took it in, look for the provider elsewhere.
      formerLogs.setGlobalLoggerProvider(logs.getLoggerProvider() as Parameters<typeof formerLogs.setGlobalLoggerProvider>[0]);
      return async () => {
        await sdk.shutdown();
        formerLogs.disable();
        logs.disable();
        trace.disable();
        context.disable();
        metrics.disable();
      };
    },
  };
}

/** `OTEL_TRACES_EXPORTER=console`: one line a span, as OTLP writes it in JSON. */
function printer(redactKeys: readonly string[]): (record: SpanRecord) => void {
  const encode = createSpanEncoder(createRedactor(redactKeys));
  return (record) => {
    const { scope, json } = encode(record);
    process.stdout.write(`{"scope":${scope},"span":${json}}\n`);
  };
}
