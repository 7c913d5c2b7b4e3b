import { resilienceOf } from '../recorders/resilience.ts';
import { defineLibrary, isExports } from './define.ts';

interface RequestConfig {
  readonly url?: unknown;
  readonly baseURL?: unknown;
  /** What axios-retry keeps of a request. */
  readonly 'axios-retry'?: { readonly retryCount?: number };
}

interface Axios {
  readonly defaults?: RequestConfig;
  _request(configOrUrl: unknown, config?: RequestConfig): Promise<unknown>;
}

interface Exports {
  readonly Axios: { readonly prototype: Axios };
}

const RANGE = '>=1.6.0 <2.0.0';

/**
 * axios does not retry; axios-retry does, by sending the request's own configuration again with its count in it. What
 * does not pass through axios-retry is left alone: each request has its HTTP span.
 */
export const axios = defineLibrary<Exports>({
  name: 'axios',
  gives: 'Attempts of axios-retry by host (`axios api.example.com`).',
  packages: { axios: RANGE },
  esm: { axios: { range: RANGE, files: ['index.js'], ifDeclared: ['axios-retry'] } },
  accepts: (exports): exports is Exports =>
    isExports(exports) &&
    typeof exports.Axios === 'function' &&
    typeof (exports as unknown as Exports).Axios.prototype?._request === 'function',
  wire({ Axios: { prototype } }, kit) {
    const resilience = resilienceOf(kit);
    const { _request } = prototype;
    prototype._request = function (this: Axios, configOrUrl, config) {
      const given = (typeof configOrUrl === 'string' ? config : configOrUrl) as RequestConfig | undefined;
      const repeated = (given?.['axios-retry']?.retryCount ?? 0) > 0;
      if (repeated) resilience.retry(nameOf(given, this.defaults)).attempt('failure');
      const promise = Reflect.apply(_request, this, [configOrUrl, config]);
      // A repeated request runs inside the first one, which tells how it all ended.
      if (repeated) return promise;
      return promise.then(
        (response) => {
          tell(response, 'success');
          return response;
        },
        (error) => {
          tell(error, 'exhausted');
          throw error;
        },
      );
    };
    function tell(outcome: unknown, result: 'success' | 'exhausted'): void {
      const used = isExports(outcome) ? (outcome.config as RequestConfig | undefined) : undefined;
      if (used?.['axios-retry'] !== undefined) resilience.retry(nameOf(used)).attempt(result);
    }
    return () => {
      prototype._request = _request;
    };
  },
});

function nameOf(config: RequestConfig | undefined, defaults?: RequestConfig): string {
  const base = config?.baseURL ?? defaults?.baseURL;
  const url = String(config?.url ?? '');
  try {
    return `axios ${new URL(url, base === undefined ? undefined : String(base)).host}`;
  } catch {
    return 'axios';
  }
}
