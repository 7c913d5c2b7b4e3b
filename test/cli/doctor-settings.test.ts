import assert from 'node:assert/strict';
import test from 'node:test';
import { nearest } from '../../cli/doctor/nearest.ts';
import { settingsOf } from '../../cli/doctor/settings.ts';
import { STANDARD_UNREAD } from '../../cli/doctor/standard.ts';
import { loadConfig, SETTINGS } from '../../instrumentation/config.ts';

function settings(env: Record<string, string>) {
  const { config, problems } = loadConfig(env);
  return settingsOf(env, config, problems);
}

test('nothing set, or all of it good, is one line', () => {
  assert.deepEqual(
    settings({ PATH: '/bin', HOME: '/root' }).map(({ level, subject }) => [level, subject]),
    [['ok', 'defaults']],
  );
  const [only, ...others] = settings({ OTEL_SERVICE_NAME: 'shop', O11Y_QUIET: '1' });
  assert.equal(only.level, 'ok');
  assert.equal(only.text, 'OTEL_SERVICE_NAME, O11Y_QUIET');
  assert.deepEqual(others, []);
});

for (const [name, value, level, says] of [
  ['O11Y_MAX_SERIES', 'many', 'problem', /"many" is not allowed.*Set a whole number from 1 to 1000000; or unset it/s],
  ['O11Y_MAX_SERIE', '10', 'problem', /no effect.*Did you mean O11Y_MAX_SERIES\?/s],
  ['O11Y_COLOUR', 'red', 'problem', /no effect.*docs\/configuration\.md/s],
  ['o11y_quiet', '1', 'problem', /Did you mean O11Y_QUIET\?/],
  ['OTEL_EXPORTER_OLTP_ENDPOINT', 'http://x', 'problem', /Did you mean OTEL_EXPORTER_OTLP_ENDPOINT\?/],
  ['OTLE_SERVICE_NAME', 'shop', 'problem', /Did you mean OTEL_SERVICE_NAME\?/],
  ['OTEL_BSP_EXPORT_TIMEOUT', '5', 'note', /does not read/],
  ['OTEL_SOMETHING_ENTIRELY_ELSE', '5', 'note', /no setting that o11y-kit knows/],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'problem', /never gRPC.*Unset OTEL_EXPORTER_OTLP_PROTOCOL .*4318/s],
  ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'GRPC', 'problem', /never gRPC.*Unset OTEL_EXPORTER_OTLP_TRACES_PROTOCOL/s],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://c:4318/v1/traces', 'problem', /adds it once more.*Set http:\/\/c:4318,/s],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://c:4317', 'problem', /port 4317, which speaks gRPC.*4318/s],
  ['OTEL_EXPORTER_OTLP_LOGS_ENDPOINT', 'http://c:4318', 'problem', /no path.*Set http:\/\/c:4318\/v1\/logs/s],
  ['OTEL_NODE_DISABLED_INSTRUMENTATIONS', 'expres', 'problem', /names "expres".*Did you mean express\?/s],
  ['OTEL_NODE_DISABLED_INSTRUMENTATIONS', 'cassandra-driver', 'note', /names "cassandra-driver"/],
  ['OTEL_SDK_DISABLED', 'true', 'problem', /starts nothing/],
  ['O11Y_REQUIRED_ENV', 'DOCTOR_TEST_UNSET', 'problem', /never becomes ready.*Set DOCTOR_TEST_UNSET/s],
] as const) {
  test(`${name}=${value} is a ${level}`, () => {
    const [odd, ...others] = settings({ [name]: value }).filter((finding) => finding.level !== 'ok');
    assert.equal(odd.level, level);
    assert.match(`${odd.text}\n${odd.todo}`, says);
    assert.deepEqual(others, []);
  });
}

test('secrets and passwords of addresses are never shown', () => {
  const said = JSON.stringify(
    settings({ OTEL_EXPORTER_OTLP_HEADERS: 'hunter2', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://me:hunter2@c:4318/v1/logs' }),
  );
  assert.doesNotMatch(said, /hunter2/);
  assert.match(said, /value \(hidden\)/);
  assert.match(said, /\[redacted\]@c:4318/);
  for (const bad of ['ftp://me:hunter2@c', 'ftp://c/?api_key=hunter2'])
    assert.doesNotMatch(JSON.stringify(settings({ OTEL_EXPORTER_OTLP_ENDPOINT: bad })), /hunter2/);
});

test('no variable is both a setting and unread', () => {
  const known: string[] = Object.values(SETTINGS).map(({ env }) => env);
  assert.deepEqual(
    STANDARD_UNREAD.filter((name) => known.includes(name)),
    [],
  );
});

test('the nearest name is within few slips, swapped neighbours count as one', () => {
  const names = ['koa', 'express', 'fastify'];
  assert.equal(nearest('exprses', names), 'express');
  assert.equal(nearest('fastfy', names), 'fastify');
  assert.equal(nearest('redis', names), undefined);
});
