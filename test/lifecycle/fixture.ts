import { writeSync } from 'node:fs';
import { loadConfig } from '../../instrumentation/config.ts';
import { createDiagnostics } from '../../instrumentation/diagnostics.ts';
import { createStats } from '../../instrumentation/export/stats.ts';
import { createHealth } from '../../instrumentation/health/health.ts';
import { watchListening } from '../../instrumentation/health/listening.ts';
import { startLifecycle } from '../../instrumentation/lifecycle/lifecycle.ts';

// Preloaded into the apps of these tests: the real lifecycle, with an export whose time can be chosen. What it does is said
// on stdout in lines that start with `kit: `, written synchronously so that their order is the order of events.
const flushMs = Number(process.env.FLUSH_MS ?? '30');
const say = (text: string) => void writeSync(1, `kit: ${text}\n`);

const { config } = loadConfig();
const diagnostics = createDiagnostics(config);
const health = createHealth({ config, diagnostics, stats: createStats(), resource: { serviceName: 'app', instanceId: '1' } });
// A check that never ends is no reason to live either.
health.register('stuck', () => new Promise(() => {}));
health.start();
const listening = watchListening();
const stop = startLifecycle({
  config,
  diagnostics,
  health,
  listening,
  logs: { lifecycle: (level, msg, { err }) => say(`${level} ${msg}${err === undefined ? '' : `: ${err}`}`) },
  flush: async () => {
    say(`flush begins, ${health.phase()}`);
    if (flushMs === Infinity) await new Promise(() => {});
    await new Promise((resolve) => setTimeout(resolve, flushMs).unref());
    say('flushed');
  },
  flushSync: (ms) => say(`flushed at once, at most ${ms} ms`),
  countUnhandled: (kind) => say(`count ${kind}`),
  onEnd: () => say('end'),
});
// For apps that look into the kit.
Object.assign(globalThis, { kitFixture: { health, listening, stop } });
