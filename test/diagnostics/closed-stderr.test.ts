import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';

const preload = pathToFileURL(join(import.meta.dirname, '../../dist/preload.mjs')).href;

// Bad settings make the kit write to stderr at start; the app then runs on for a while and ends by itself.
const APP = `process.stdin.once('data', () => setTimeout(() => process.exit(7), 50));`;

test('an app whose stderr nobody reads any more runs on', async () => {
  const app = spawn(process.execPath, ['--import', preload, '-e', APP], {
    env: {
      ...process.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_BSP_SCHEDULE_DELAY: 'bad',
      O11Y_CAPTURE_CONSOLE: 'off',
    },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  app.stderr.destroy();
  app.stdin.write('go\n');
  const [code] = await once(app, 'exit');
  assert.equal(code, 7);
});
