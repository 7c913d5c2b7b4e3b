import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../instrumentation/config.ts';
import { createRedactor } from '../../instrumentation/redaction.ts';
import { detectResource } from '../../instrumentation/resource.ts';
import { startLine } from '../../instrumentation/start-line.ts';

test('keys to redact that are too many or too long for one expression do not throw, and still redact', () => {
  const keys = ['x'.repeat(20_000), ...Array.from({ length: 1_000 }, (_, index) => `inner-key-number-${index}`)];
  const redactor = createRedactor(keys);
  assert.equal(redactor.text('plain text'), 'plain text');
  assert.equal(redactor.text('inner_key_number_999=hunter2 a=b'), 'inner_key_number_999=[redacted] a=b');
  assert.equal(redactor.line('{"innerKeyNumber7":"hunter2","a":1}\n'), '{"innerKeyNumber7":"[redacted]","a":1}\n');
  assert.deepEqual(redactor.value({ password: 'hunter2', b: 'c' }), { password: '[redacted]', b: 'c' });
});

test('control characters of a service name stay out of the start line', () => {
  const { config } = loadConfig({ OTEL_SERVICE_NAME: 'shop\u001b[31m\r\nforged: line' });
  const resource = detectResource(config, '0.0.0');
  const line = startLine({ version: '0.0.0', config, resource, adminUrl: undefined, servesMetrics: false, wired: [] });
  assert.match(line, /shop \[31m forged: line/);
  assert.doesNotMatch(line, /\p{Cc}/u);
});
