import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stackOf } from '../../cli/doctor/stack.ts';
import { loadConfig } from '../../instrumentation/config.ts';
import { run } from './cli.ts';
import { standIn } from './docker.ts';

const settings = (endpoint: string) => loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).config;

describe('o11y-kit doctor', () => {
  it('knows the stack that takes what the app sends, and one that does not', async () => {
    const docker = await standIn();
    await run(['up'], docker.env);
    const env = { ...process.env, ...docker.env };
    const url = `http://localhost:${docker.ports.OTLP_HTTP}`;
    const [found] = await stackOf(settings(url), env);
    assert.deepEqual([found.level, found.text], ['ok', `runs, and takes what is sent to ${url}`]);
    const [other] = await stackOf(settings('http://localhost:1'), env);
    assert.deepEqual([other.level, other.todo], ['note', `OTEL_EXPORTER_OTLP_ENDPOINT=${url}`]);
    const { out } = await run(['doctor'], docker.env);
    assert.match(out, /the stack in Docker +runs, but takes what is sent to/);
  });

  it('says which part of it is not well', async () => {
    const docker = await standIn({ containers: { tempo: { Health: 'unhealthy' } } });
    await run(['up'], docker.env);
    const [found] = await stackOf(settings('http://localhost:1'), { ...process.env, ...docker.env });
    assert.deepEqual([found.level, found.text], ['problem', 'tempo: not well']);
  });

  it('says nothing of it where it does not run, or where there is no Docker', async () => {
    const docker = await standIn();
    assert.deepEqual(await stackOf(settings('http://localhost:1'), { ...process.env, ...docker.env }), []);
    docker.show({ compose: null });
    assert.deepEqual(await stackOf(settings('http://localhost:1'), { ...process.env, ...docker.env }), []);
    assert.deepEqual(await stackOf(settings('http://localhost:1'), { PATH: '/nowhere' }), []);
  });
});
