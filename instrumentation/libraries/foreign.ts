import Module from 'node:module';
import type { Kit } from '../kit.ts';
import { defineLibrary, isExports, type Library, together, type Undo } from './define.ts';

const OTEL_GLOBAL = Symbol.for('opentelemetry.js.api.1');

/**
 * Other telemetry SDKs in the same process.
 *
 * Two SDKs that make spans give every request two traces, and each writes its own `traceparent` over the other's. Whoever
 * put a second SDK into the process chose it for its backend, so the kit is the one that steps back: the other makes and
 * propagates the spans, the kit keeps metrics, health, correlation ids and log shipping. What counts is that the other
 * one starts; being installed or loaded is not enough.
 */
export const FOREIGN: readonly Library[] = [openTelemetry(), datadog(), elastic(), newRelic()];

/**
 * What an SDK that was started before the kit, by a flag that stands before ours, says for `Tracing.stepBack`. Read as
 * this module is loaded, since the kit itself registers with OpenTelemetry before it wires libraries.
 */
export const RUNNING_BEFORE: string | undefined = registeredBefore() ?? runningAgent();

function registeredBefore(): string | undefined {
  const otel = (globalThis as unknown as Record<symbol, unknown>)[OTEL_GLOBAL];
  return isExports(otel) && otel.trace !== undefined ? 'An OpenTelemetry SDK was registered before o11y-kit' : undefined;
}

/** An agent that runs by now, told by what it leaves in the process: its own entry files require it by relative paths. */
export function runningAgent(): string | undefined {
  const datadog = (globalThis as unknown as Record<string, unknown>)._ddtrace;
  if (isExports(datadog) && datadog._tracingInitialized === true) return started('dd-trace');
  const newrelic = (Module as unknown as { _cache: Record<string, unknown> })._cache.__NR_cache;
  return isExports(newrelic) && isExports(newrelic.agent) ? started('New Relic') : undefined;
}

function started(name: string): string {
  return `${name} is active in this process`;
}

type Register = (instance: unknown) => boolean;

interface Api {
  readonly trace: { setGlobalTracerProvider: Register };
  readonly context: { setGlobalContextManager: Register };
}

/**
 * Every OpenTelemetry SDK, and every distribution that is built on one, registers itself through the API. The API refuses
 * a second provider, and any instance at all from a copy of another version than the first; so what the kit registered
 * is taken out first. The kit's own request path does not use these globals.
 */
function openTelemetry(): Library {
  return defineLibrary<Api>({
    name: 'opentelemetry-api',
    foreign: true,
    packages: { '@opentelemetry/api': '>=1.0.0 <2.0.0' },
    esm: {
      '@opentelemetry/api': {
        range: '>=1.10.0 <2.0.0',
        files: ['dist/index.mjs'],
        ifDeclared: [
          '@opentelemetry/sdk-node',
          '@opentelemetry/sdk-trace',
          '@opentelemetry/sdk-trace-base',
          '@opentelemetry/sdk-trace-node',
          '@sentry/node',
        ],
      },
    },
    accepts: (exports): exports is Api =>
      isExports(exports) &&
      isExports(exports.trace) &&
      typeof exports.trace.setGlobalTracerProvider === 'function' &&
      isExports(exports.context),
    wire({ trace, context }, kit) {
      const first = (target: object, method: string) =>
        replace(target, method, (original) => (instance: unknown) => {
          const name = isExports(instance) ? (instance.constructor as { name?: string } | undefined)?.name : undefined;
          kit.tracing.stepBack(`Another OpenTelemetry SDK registered its ${name || 'tracer provider'}`);
          return withoutOurs(() => original.call(target, instance));
        });
      return together([first(trace, 'setGlobalTracerProvider'), first(context, 'setGlobalContextManager')]);
    },
  });
}

type Slots = Record<string, unknown>;

let ours: Slots | undefined;

/** Lets another SDK register as if the kit had not; what it does not bring itself (metrics, diagnostics) stays the kit's. */
function withoutOurs(register: () => boolean): boolean {
  const globals = globalThis as unknown as Record<symbol, Slots | undefined>;
  const before = globals[OTEL_GLOBAL];
  ours ??= before;
  if (before === undefined || before !== ours || !Reflect.deleteProperty(globals, OTEL_GLOBAL)) return register();
  const registered = register();
  if (!registered) {
    globals[OTEL_GLOBAL] = before;
    return false;
  }
  const after = globals[OTEL_GLOBAL];
  for (const slot of ['metrics', 'diag']) {
    if (after !== undefined && after[slot] === undefined) Reflect.set(after, slot, before[slot]);
  }
  return true;
}

interface Agent {
  [method: string]: unknown;
}

function datadog(): Library {
  return agent('dd-trace', ['dd-trace', 'dd-trace/init'], 'init', (tracer) => tracer._tracingInitialized === true);
}

function elastic(): Library {
  const packages = ['elastic-apm-node', 'elastic-apm-node/start'];
  return agent('elastic-apm-node', packages, 'start', (apm) => typeof apm.isStarted === 'function' && apm.isStarted() === true);
}

/** An agent that is loaded first and started by a method, perhaps never. */
function agent(name: string, specifiers: readonly string[], method: string, runs: (agent: Agent) => boolean): Library {
  return defineLibrary<Agent>({
    name,
    foreign: true,
    packages: Object.fromEntries(specifiers.map((specifier) => [specifier, '>=0.0.0'])),
    accepts: (exports): exports is Agent => isExports(exports) && typeof exports[method] === 'function',
    wire(exports, kit) {
      const check = () => runs(exports) && kit.tracing.stepBack(started(name));
      if (runs(exports)) {
        check();
        return undefined;
      }
      return replace(
        exports,
        method,
        (original) =>
          function (this: unknown, ...args: unknown[]) {
            const result = Reflect.apply(original, this, args);
            check();
            return result;
          },
      );
    },
  });
}

/** New Relic's agent starts as it is loaded; switched off, it exports a stub without an agent. */
function newRelic(): Library {
  return defineLibrary<{ agent: unknown }>({
    name: 'newrelic',
    foreign: true,
    packages: { newrelic: '>=0.0.0' },
    accepts: (exports): exports is { agent: unknown } => isExports(exports) && isExports(exports.agent),
    wire(_exports, kit: Kit) {
      kit.tracing.stepBack(started('New Relic'));
      return undefined;
    },
  });
}

/** Puts a method on an object itself, above its prototype's. */
function replace<T extends object>(
  target: T,
  name: PropertyKey,
  make: (original: (...args: any[]) => any) => (...args: any[]) => any,
): Undo {
  const own = Object.getOwnPropertyDescriptor(target, name);
  const original: (...args: any[]) => any = Reflect.get(target, name) as never;
  Object.defineProperty(target, name, { configurable: true, writable: true, value: make(original) });
  return () => {
    if (own) Object.defineProperty(target, name, own);
    else Reflect.deleteProperty(target, name);
  };
}
