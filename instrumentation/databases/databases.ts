import {
  type Attributes,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { active, correlationIdOf } from '../context.ts';
import { errorCategory } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import type { HistogramChild } from '../metrics/metrics.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { type Call, callTracerProvider } from '../traces/call-tracer.ts';
import { type Failure, failureOf, failureType, isUnreachable, safeMessage } from '../traces/failure.ts';
import { setShared } from '../traces/span.ts';
import { Batches } from './batches.ts';
import { tellCaller } from './callers.ts';
import { createCallKinds, type Place } from './calls.ts';
import { createPools, type Pools } from './pools.ts';
import { readCommand } from './redis.ts';
import { slowCalls } from './slow.ts';
import { createTargets, type Targets } from './targets.ts';

/** What all libraries that talk to a database share. */
export interface Databases {
  /**
   * For official instrumentations of drivers: what each call is made into is said in {@link createDatabases}.
   */
  readonly drivers: TracerProvider;
  /** Runs what starts the span of one command of a batch, where the instrumentation does not say so itself. */
  batched<T>(start: () => T): T;
  readonly pools: Pools;
  readonly targets: Targets;
  /**
   * A connection could not be had, or it took `O11Y_SLOW_QUERY_MS` or longer: the one case in which obtaining a connection
   * has a span of its own, since nothing else would say where the time went.
   */
  connected(server: Server, startedAt: number, error: unknown): void;
}

export interface Server {
  readonly system: string;
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly namespace: string | undefined;
}

/** The operation that failed where a connection could not be had. */
const CONNECT = 'connect';
const MOST_CHILDREN = 5000;
const made = new WeakMap<Kit, Databases>();

/** The kit's one set of these, made when the first database library is wired. */
export function databasesOf(kit: Kit): Databases {
  let databases = made.get(kit);
  if (databases === undefined) made.set(kit, (databases = createDatabases(kit)));
  return databases;
}

/** The name of a server's health check and of its pool: no user, no password, stable from start to start. */
export function serverName({ system, address, port, namespace }: Server): string {
  return `${system} ${poolName({ address, port, namespace })}`;
}

export function poolName({ address, port, namespace }: Omit<Server, 'system'>): string {
  return `${address || 'localhost'}${port === undefined ? '' : `:${port}`}${namespace ? `/${namespace}` : ''}`.slice(0, 80);
}

/**
 * From each call: a span in the caller's trace (none without one: a poller would fill the backend with traces of one span),
 * `db_client_operation_duration_seconds` whether sampled or not, the state of the server for health, the slow-query line,
 * and for a failed call its type and category on the span and in `o11y_errors_total`.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/database/database-spans/
 */
function createDatabases(kit: Kit): Databases {
  const duration = kit.metrics.histogram(METRICS.dbDuration);
  const children = new Map<string, HistogramChild>();
  const pools = createPools(kit.metrics);
  const targets = createTargets(kit.health, kit.diagnostics);
  const slow = slowCalls(kit);
  const kindOf = createCallKinds(targetOf);

  const batches = new Batches();
  let inBatch = false;

  function startSpan(name: string, kind: SpanKind, parent: SpanContext, startedAt: number, attributes: Attributes = {}) {
    if (!kit.tracing.enabled) return undefined;
    const start = () => kit.tracing.startSpan(name, kind, parent, startedAt);
    const batched = inBatch || /^(PIPELINE|MULTI) /.test(text(attributes['db.operation.name']));
    return batched ? batches.span(parent.spanId, start) : start();
  }

  function child(system: string, operation: string, collection: string, failure: string): HistogramChild {
    const key = `${system}\n${operation}\n${collection}\n${failure}`;
    let known = children.get(key);
    if (known === undefined) {
      if (children.size >= MOST_CHILDREN) children.clear();
      known = duration.child(system, operation, collection, failure);
      children.set(key, known);
    }
    return known;
  }

  function driverEnded(call: Call): void {
    const { attributes, failure, span, startedAt, endedAt } = call;
    const query = text(attributes['db.query.text']);
    const given = text(attributes['db.operation.name']);
    const place = placeOf(attributes);
    const command = place.system === 'redis' ? readCommand(given, query) : undefined;
    const kind = kindOf(place, query, command?.operation ?? given, collectionOf(text(attributes['db.collection.name'])));
    const { operation, collection } = kind.statement;
    // What waits for a message on purpose is neither slow nor a measure of the server, unless it fails.
    if (command?.blocks !== true || failure !== undefined) {
      const type = failure === undefined ? '' : failureType(failure);
      const series =
        type === ''
          ? (kind.child ??= child(place.system, operation, collection, ''))
          : child(place.system, operation, collection, type);
      series.observe((endedAt - startedAt) / 1000, span?.spanContext());
      slow(call, place, kind);
    }
    targets.note(kind.target, failure);
    if (failure !== undefined) {
      kit.onError(failure.thrown ?? failure);
      tellCaller(call.context);
    }
    if (span?.isRecording()) {
      setShared(span, kind.shared);
      const size = command?.batched ? batches.sizeOf(span) : undefined;
      if (size !== undefined) span.setAttribute('db.operation.batch.size', size);
      span.updateName(kind.spanName);
    }
    finish(call, kind.settled);
  }

  return {
    drivers: callTracerProvider({ startSpan, ended: driverEnded }),
    batched(start) {
      inBatch = true;
      try {
        return start();
      } finally {
        inBatch = false;
      }
    },
    pools,
    targets,
    connected(server, startedAt, error) {
      const endedAt = performance.now();
      const failure = error === undefined || error === null ? undefined : failureOf(error);
      if (failure !== undefined) {
        targets.note(serverName(server), failure);
        kit.onError(error);
        tellCaller(active());
        // Without a connection there is no query that could fail. A pool that has none left has a counter of its own, and its
        // error has no code: that says nothing of the server.
        if (failure.code !== undefined || isUnreachable(failure)) {
          const type = failureType(failure);
          child(server.system, CONNECT, '', type).observe((endedAt - startedAt) / 1000);
        }
      } else if (kit.config.slowQueryMs === 0 || endedAt - startedAt < kit.config.slowQueryMs) return;
      const context = active();
      const parent = trace.getSpanContext(context);
      const span = parent === undefined ? undefined : startSpan(`${server.system} connect`, SpanKind.CLIENT, parent, startedAt);
      const attributes: Attributes = {
        'db.system.name': server.system,
        'db.namespace': server.namespace,
        'server.address': server.address,
        'server.port': server.port,
      };
      finish({ name: '', kind: SpanKind.CLIENT, attributes, span, failure, context, startedAt, endedAt }, NONE);
    },
  };
}

const NONE: ReadonlySet<string> = new Set();

function placeOf(attributes: Readonly<Attributes>): Place {
  const port = attributes['server.port'];
  return {
    system: text(attributes['db.system.name']),
    address: text(attributes['server.address']),
    port: typeof port === 'number' ? port : undefined,
    namespace: text(attributes['db.namespace']),
  };
}

/** A server of MongoDB is one whichever of its databases is meant, and the driver uses some for itself. */
function targetOf(place: Place): string {
  return serverName(place.system === 'mongodb' ? { ...place, namespace: undefined } : place);
}

/** MongoDB's drivers send what names no collection to one of this name, which is none. */
function collectionOf(name: string): string {
  return name === '$cmd' ? '' : name;
}

function finish({ span, attributes, failure, context, endedAt }: Call, done: ReadonlySet<string>): void {
  if (span === undefined) return;
  if (span.isRecording()) {
    for (const key of Object.keys(attributes)) {
      const value = attributes[key];
      if (value !== undefined && !done.has(key)) span.setAttribute(key, value);
    }
    const id = correlationIdOf(context);
    if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
    if (failure !== undefined) recordFailure(span, failure);
  }
  (span as { endAt?: (reading: number) => void }).endAt?.(endedAt);
}

function recordFailure(span: Span, failure: Failure): void {
  const message = safeMessage(failure);
  span.setAttribute('error.type', failureType(failure));
  span.setAttribute('error.category', errorCategory(failure.thrown ?? failure));
  if (failure.code !== undefined) span.setAttribute('db.response.status_code', failure.code);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.addEvent('exception', { 'exception.type': failure.code ?? failure.name, 'exception.message': message });
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
