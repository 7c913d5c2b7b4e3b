import { loadConfig } from '../../instrumentation/config.ts';
import type { Diagnostics } from '../../instrumentation/diagnostics.ts';
import { createStats } from '../../instrumentation/export/stats.ts';
import { createHealth, type Health, type Status } from '../../instrumentation/health/health.ts';

/** Diagnostics that are kept to be looked at. */
export function messages(): Diagnostics & { readonly said: string[] } {
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  return { said, error: say, warn: say, info: say, debug: say, line: say };
}

export interface Run {
  readonly check: string;
  readonly status: Status;
  readonly seconds: number;
}

/** A real registry of checks, with what it was told to report. */
export function healthOf(env: Record<string, string> = {}) {
  const diagnostics = messages();
  const stats = createStats();
  const runs: Run[] = [];
  const waiting: { matches: (run: Run) => boolean; resolve: (run: Run) => void }[] = [];
  const health: Health = createHealth({
    config: loadConfig(env).config,
    diagnostics,
    stats,
    resource: { serviceName: 'shop', serviceVersion: '1.2.3', instanceId: 'i-1' },
    onResult: (check, status, seconds) => {
      const run = { check, status, seconds };
      runs.push(run);
      for (const entry of waiting.filter(({ matches }) => matches(run))) {
        waiting.splice(waiting.indexOf(entry), 1);
        entry.resolve(run);
      }
    },
  });
  /** The next run of this check that ends so. */
  const next = (check: string, status?: Status) =>
    new Promise<Run>((resolve) => {
      waiting.push({ matches: (run) => run.check === check && (status === undefined || run.status === status), resolve });
    });
  return { health, diagnostics, stats, runs, next };
}
