import assert from 'node:assert/strict';
import test from 'node:test';
import { loadConfig, otlpTarget } from '../../instrumentation/config.ts';

const url = (env: Record<string, string>) => otlpTarget(loadConfig(env).config, 'traces').url;

test('the path of a signal is added to the endpoint', () => {
  assert.equal(url({}), 'http://localhost:4318/v1/traces');
  assert.equal(url({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector/otlp/' }), 'https://collector/otlp/v1/traces');
});

test('a query stays behind the path', () => {
  assert.equal(
    url({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4318/otlp?key=x' }),
    'https://collector:4318/otlp/v1/traces?key=x',
  );
});

test('an endpoint of one signal is taken whole', () => {
  assert.equal(url({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/traces?key=x' }), 'https://collector/traces?key=x');
});

test('what goes to a neighbour on the same machine is not compressed, unless asked for', () => {
  const compression = (env: Record<string, string>) => otlpTarget(loadConfig(env).config, 'logs').compression;
  for (const address of ['http://localhost:4318', 'http://127.0.0.1:4318', 'http://[::1]:4318']) {
    assert.equal(compression({ OTEL_EXPORTER_OTLP_ENDPOINT: address }), 'none', address);
  }
  assert.equal(compression({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }), 'gzip');
  assert.equal(compression({ OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }), 'gzip');
  assert.equal(compression({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://vendor', OTEL_EXPORTER_OTLP_COMPRESSION: 'none' }), 'none');
});
