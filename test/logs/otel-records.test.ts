import assert from 'node:assert/strict';
import test from 'node:test';
import { startViewer } from '../../viewer/testing.ts';
import { spawnApp } from '../support/app.ts';

// The Logs API as apps know it, and as it stands in the newest API.
for (const module of ['@opentelemetry/api-logs', '@opentelemetry/api']) {
  test(`records of the Logs API of ${module} are shipped, under the span that was active`, async () => {
    await using viewer = await startViewer();
    const code = `
      const { logs } = require('${module}');
      const { trace } = require('@opentelemetry/api');
      trace.getTracer('t').startActiveSpan('work', (span) => {
        logs.getLogger('billing').emit({ severityNumber: 17, body: 'card refused', attributes: { attempt: 2, password: 'hunter2' } });
        logs.getLogger('billing').emit({ body: { nested: true } });
        span.end();
      });`;
    await using app = await spawnApp({ args: ['-e', code], cwd: import.meta.dirname, endpoint: viewer.url, ready: false });
    assert.deepEqual(await app.exited, { code: 0, signal: null });
    const [span] = await viewer.waitForSpans({ name: 'work' });
    const records = await viewer.waitForLogs(2);
    const refused = records.find(({ body }) => body === 'card refused');
    assert.equal(refused?.severityText, 'error');
    assert.equal(refused?.traceId, span.traceId);
    assert.equal(refused?.attributes.attempt, 2);
    assert.notEqual(refused?.attributes.password, 'hunter2');
    assert.equal(refused?.attributes.logger, 'billing');
  });
}
