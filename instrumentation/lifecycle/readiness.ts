import type { Health } from '../health/health.ts';
import type { Listening } from '../health/listening.ts';
import { whenEntryLoaded } from './entry.ts';

const POLL_MS = 20;
/** How long after its entry module an app that has not asked to listen is given to do so. */
const SETTLE_MS = 2000;

/**
 * Turns the phase from `starting` to `ready`: when the entry module has loaded, and a server listens if the app asked for
 * one.
 *
 * @param settleMs after this, an app without a server is ready too
 */
export function watchReadiness(
  health: Pick<Health, 'phase' | 'setPhase'>,
  listening: Pick<Listening, 'asked' | 'isServer'>,
  settleMs = SETTLE_MS,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  const forget = whenEntryLoaded(() => {
    const loadedAt = performance.now();
    const look = () => {
      if (health.phase() !== 'starting') return clearInterval(timer);
      const waited = performance.now() - loadedAt;
      if (listening.asked() ? !listening.isServer() : waited < settleMs) return;
      clearInterval(timer);
      health.setPhase('ready');
    };
    timer = setInterval(look, POLL_MS).unref();
    look();
  });
  return () => {
    forget();
    clearInterval(timer);
  };
}
