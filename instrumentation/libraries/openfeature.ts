import { trace } from '@opentelemetry/api';
import { errorType } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import { METRICS } from '../names.ts';
import { defineLibrary, isExports } from './define.ts';

interface HookContext {
  readonly flagKey: string;
  readonly context?: { readonly targetingKey?: unknown };
  readonly providerMetadata?: { readonly name?: unknown };
}

interface Details {
  readonly value: unknown;
  readonly variant?: string;
  readonly reason?: string;
}

interface Api {
  addHooks(...hooks: object[]): unknown;
  clearHooks(): unknown;
  getHooks(): readonly object[];
}

const RANGE = '>=1.6.0 <2.0.0';

/** The series of evaluations that failed and gave the default. */
const FAILED = '__error__';

/** Copies of the package share one API object, on `globalThis`. */
const watched = new WeakSet<Api>();

/**
 * OpenFeature's server SDK, by a hook of its own kind on the whole API.
 *
 * @see https://openfeature.dev/specification/sections/hooks
 * @see https://opentelemetry.io/docs/specs/semconv/feature-flags/feature-flags-events/
 */
export const openfeature = defineLibrary<{ readonly OpenFeature: Api }>({
  name: 'openfeature',
  gives: 'Evaluations by flag and variant, also as an event on the span of the request; failed ones are counted as `__error__`.',
  packages: { '@openfeature/server-sdk': RANGE },
  esm: { '@openfeature/server-sdk': { range: RANGE, files: ['dist/esm/index.js'] } },
  accepts: (exports): exports is { OpenFeature: Api } =>
    isExports(exports) && isExports(exports.OpenFeature) && typeof exports.OpenFeature.addHooks === 'function',
  wire({ OpenFeature: api }, kit) {
    if (watched.has(api)) return undefined;
    watched.add(api);
    const hook = createHook(kit);
    const own = Object.getOwnPropertyDescriptor(api, 'clearHooks');
    const { clearHooks } = api;
    api.addHooks(hook);
    // An app that clears its hooks means its own.
    api.clearHooks = function (this: Api) {
      const result = Reflect.apply(clearHooks, this, []);
      this.addHooks(hook);
      return result;
    };
    return () => {
      watched.delete(api);
      if (own) Object.defineProperty(api, 'clearHooks', own);
      else delete (api as Partial<Api>).clearHooks;
      const others = api.getHooks().filter((each) => each !== hook);
      api.clearHooks();
      api.addHooks(...others);
    };
  },
});

function createHook(kit: Kit): object {
  const evaluations = kit.metrics.counter(METRICS.featureFlags);

  function record(
    { flagKey, context, providerMetadata }: HookContext,
    variant: string,
    attributes: Record<string, string>,
  ): void {
    evaluations.inc({ feature_flag_key: flagKey, feature_flag_result_variant: variant });
    const { targetingKey } = context ?? {};
    trace.getActiveSpan()?.addEvent('feature_flag.evaluation', {
      'feature_flag.key': flagKey,
      ...(typeof providerMetadata?.name === 'string' && { 'feature_flag.provider.name': providerMetadata.name }),
      ...(typeof targetingKey === 'string' && { 'feature_flag.context.id': targetingKey }),
      ...attributes,
    });
  }

  return {
    after(context: HookContext, { value, variant, reason }: Details) {
      // A provider need not name variants; of a boolean the value is as good a name, others could be anything.
      const name = variant ?? (typeof value === 'boolean' ? String(value) : '');
      record(context, name, {
        ...(name !== '' && { 'feature_flag.result.variant': name }),
        'feature_flag.result.reason': String(reason ?? 'unknown').toLowerCase(),
      });
    },
    error(context: HookContext, error: unknown) {
      record(context, FAILED, {
        'feature_flag.result.reason': 'error',
        'error.type': errorType(error).toLowerCase(),
        ...(error instanceof Error && { 'error.message': error.message }),
      });
      kit.onError(error);
    },
  };
}
