import { suppressTracing } from '@opentelemetry/core';
import { ROOT, storage } from '../context.ts';
import { reason } from '../diagnostics.ts';
import type { Check, CheckResult, Outcome } from './check.ts';

// A check belongs to no request, whoever registered it, and its own calls would be noise among the app's traces.
const CONTEXT = suppressTracing(ROOT);

/**
 * Runs a check again and again in the background, never two runs at a time: a run that outlives its time limit is
 * reported as failed, and the next one waits until it has settled. Timers are unref'd; nothing here throws.
 *
 * @param timeoutMs time limit of one run
 * @param intervalMs from the start of one run to the start of the next
 */
export function runRepeatedly(
  check: Check,
  { timeoutMs, intervalMs }: { timeoutMs: number; intervalMs: number },
  report: (result: CheckResult) => void,
): () => void {
  let stopped = false;
  let next: NodeJS.Timeout;
  let current: AbortController | undefined;

  async function run(): Promise<void> {
    const startedAt = performance.now();
    const controller = new AbortController();
    current = controller;
    const finish = (outcome: Outcome) => {
      if (stopped || controller.signal.aborted) return;
      report({ ...outcome, durationMs: performance.now() - startedAt, time: Date.now() });
    };
    const deadline = setTimeout(() => {
      finish({ status: 'fail', output: `no answer within ${timeoutMs} ms` });
      controller.abort(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs).unref();
    try {
      finish(read(await check(controller.signal)));
    } catch (error) {
      finish({ status: 'fail', output: reason(error) || 'failed without a reason' });
    }
    clearTimeout(deadline);
    if (!stopped) schedule(Math.max(0, intervalMs - (performance.now() - startedAt)));
  }

  function schedule(delay: number): void {
    next = storage.run(CONTEXT, setTimeout, run, delay).unref();
  }

  schedule(0);
  return () => {
    stopped = true;
    clearTimeout(next);
    current?.abort(new Error('the check was removed'));
  };
}

function read(value: unknown): Outcome {
  if (value === false) return { status: 'fail', output: 'the check returned false' };
  if (!isOutcome(value)) return { status: 'pass' };
  const { status, output, observedValue, observedUnit } = value;
  return { status, output: output === undefined ? undefined : String(output), observedValue, observedUnit };
}

function isOutcome(value: unknown): value is Outcome {
  const status = (value as Outcome | null | undefined)?.status;
  return status === 'pass' || status === 'warn' || status === 'fail';
}
