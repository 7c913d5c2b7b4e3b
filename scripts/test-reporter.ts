import type { TestEvent } from 'node:test/reporters';

/** A finished test, as `scripts/test.ts` reads it: one JSON line each. */
export interface Outcome {
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly name: string;
  /** Why it was skipped; empty where the test gives no reason. */
  readonly reason: string;
}

/** A `node --test` reporter that writes an {@link Outcome} for every test, suites left out. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const { name, skip, todo } = data;
    const skipped = skip !== undefined || todo !== undefined;
    // A suite that passes says nothing that its tests have not said; one that fails may have failed in a hook.
    if (data.details.type === 'suite' && type === 'test:pass' && !skipped) continue;
    if (data.details.type === 'suite' && type === 'test:fail' && isSumOfSubtests(data.details.error)) continue;
    const reason = [skip, todo].find((why) => typeof why === 'string') ?? (todo === undefined ? '' : 'marked as to do');
    const result = skipped ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed';
    yield `${JSON.stringify({ result, name, reason } satisfies Outcome)}\n`;
  }
}

function isSumOfSubtests(error: Error): boolean {
  return (error as Error & { failureType?: string }).failureType === 'subtestsFailed';
}
