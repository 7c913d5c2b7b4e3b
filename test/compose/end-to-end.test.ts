import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Service, startServices } from '../../examples/checkout/demo/service.ts';
import { until } from '../support/until.ts';
import { type Backends, needsBackends, spansOf, startBackends } from './backends.ts';

const patience = { timeoutMs: 60_000 };

/** What one order leaves in Tempo, Loki and Prometheus, by the links that Grafana follows. */
suite('an order, through the collector to the stores', { skip: needsBackends }, () => {
  let backends: Backends;
  let services: Service[];
  let correlationId: string;
  let traceId: string;

  before(async () => {
    backends = await startBackends();
    const env = {
      ...process.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: backends.collector.url,
      O11Y_TARGETS_DIR: backends.targets,
      OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_BLRP_SCHEDULE_DELAY: '50',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      SLOW_RATE: '0',
      FAILURE_RATE: '0',
      DECLINE_RATE: '0',
    };
    services = await startServices(env, 1);
    const response = await fetch(`${services[0].url}/checkout`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ customer: 'ada', items: [{ sku: 'tea-green', quantity: 1 }] }),
    });
    assert.equal(response.status, 201);
    correlationId = response.headers.get('x-correlation-id') ?? '';
  });

  after(async () => {
    await Promise.all((services ?? []).map((service) => service.stop()));
    await backends?.[Symbol.asyncDispose]();
  });

  test('TraceQL finds it by its correlation id: one trace through three services', async () => {
    const query = `{ resource.service.name = "payments" && span.correlation.id = "${correlationId}" }`;
    const found = await until(
      'the trace',
      async () => {
        const traces = await backends.tempo.search(query);
        return traces.length > 0 && traces;
      },
      patience,
    );
    assert.equal(found.length, 1);
    traceId = found[0].traceID.padStart(32, '0');
    const spans = await until(
      'all of its spans',
      async () => {
        const all = spansOf(await backends.tempo.trace(traceId));
        return new Set(all.map(({ service }) => service)).size === 3 && all;
      },
      patience,
    );
    for (const { attributes } of spans) assert.equal(attributes['correlation.id'], correlationId);
  });

  test('trace to logs: the query of the link finds the lines of a service, with the ids of the trace', async () => {
    for (const service of ['gateway', 'orders', 'payments']) {
      const streams = await until(
        `lines of ${service}`,
        async () => {
          const found = await backends.loki.lines(`{service_name="${service}"} | trace_id = "${traceId}"`);
          return found.length > 0 && found;
        },
        patience,
      );
      for (const { stream } of streams) {
        assert.equal(stream.trace_id, traceId);
        assert.equal(stream.correlation_id, correlationId);
        assert.match(stream.span_id, /^[0-9a-f]{16}$/);
      }
    }
  });

  test('log to trace: the id of a line is one that Tempo has', async () => {
    const [{ stream }] = await backends.loki.lines(`{service_name="orders"} | correlation_id = "${correlationId}"`);
    assert.equal(spansOf(await backends.tempo.trace(stream.trace_id)).length > 0, true);
  });

  test('Loki indexes by service and environment, not by what changes with each start', async () => {
    const labels = await backends.loki.ask('/loki/api/v1/labels');
    assert.deepEqual(labels.filter((label: string) => !label.startsWith('__')).sort(), [
      'deployment_environment_name',
      'service_name',
    ]);
  });

  test('exemplar to trace: the exemplars of a scraped histogram name traces that Tempo has', async () => {
    const ids = await until(
      'the exemplar of the order',
      async () => {
        const found = await exemplars('http_server_request_duration_seconds_bucket{job="gateway",http_route="/checkout"}');
        const all = found.map(({ trace_id }) => trace_id);
        return all.includes(traceId) && all;
      },
      patience,
    );
    for (const id of ids) assert.ok(spansOf(await backends.tempo.trace(id)).length > 0, id);
  });

  test('the service graph is in Prometheus', async () => {
    const edges = await until(
      'the edges',
      async () => {
        const samples = await backends.prometheus.query('traces_service_graph_request_total');
        const found = samples.map(({ metric }) => `${metric.client} > ${metric.server}`);
        return ['gateway > orders', 'orders > payments'].every((edge) => found.includes(edge)) && found;
      },
      patience,
    );
    assert.ok(edges.length >= 2);
  });

  test('the metrics of spans are there too, with exemplars in our spelling', async () => {
    const [labels] = await until(
      'their exemplars',
      async () => {
        const found = await exemplars('traces_spanmetrics_latency_bucket{service="gateway"}');
        return found.length > 0 && found;
      },
      patience,
    );
    assert.match(labels.trace_id, /^[0-9a-f]{32}$/);
    assert.equal(labels.traceID, undefined);
  });

  test('Loki evaluates the rules of ours', async () => {
    const groups = await until(
      'the rules',
      async () => {
        const { groups } = await backends.loki.ask('/prometheus/api/v1/rules');
        const rules = groups.flatMap((group: any) => group.rules);
        return rules.length > 0 && rules.every((rule: any) => rule.health !== 'unknown') && groups;
      },
      { timeoutMs: 90_000 },
    );
    const failing = groups.flatMap((group: any) => group.rules).filter((rule: any) => rule.health !== 'ok');
    assert.deepEqual(
      failing.map((rule: any) => [rule.name, rule.lastError]),
      [],
    );
  });

  test('while the stores are away, the collector keeps what comes; after a power cut they have what they had', async () => {
    const { tempo, loki } = backends;
    await Promise.all([tempo.kill(), loki.kill()]);
    const response = await fetch(`${services[0].url}/products/tea-black`, { headers: { 'x-correlation-id': 'meanwhile' } });
    assert.equal(response.status, 200);
    await Promise.all([tempo.restart(), loki.restart()]);
    await until(
      'the trace and the line of meanwhile',
      async () => {
        const traces = await tempo.search('{ span.correlation.id = "meanwhile" }');
        const lines = await loki.lines('{service_name="gateway"} | correlation_id = "meanwhile"');
        return traces.length > 0 && lines.length > 0;
      },
      patience,
    );
    await until(
      'the order',
      async () => {
        const lines = await loki.lines(`{service_name="orders"} | trace_id = "${traceId}"`);
        return lines.length > 0 && new Set(spansOf(await tempo.trace(traceId)).map(({ service }) => service)).size === 3;
      },
      patience,
    );
  });

  async function exemplars(query: string): Promise<Record<string, string>[]> {
    const now = Date.now() / 1000;
    const range = { start: String(now - 600), end: String(now + 60) };
    const series = await backends.prometheus.ask('/query_exemplars', { query, ...range });
    return series.flatMap((each: any) => each.exemplars.map(({ labels }: any) => labels));
  }
});
