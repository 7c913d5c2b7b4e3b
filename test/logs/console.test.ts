import assert from 'node:assert/strict';
import { Console } from 'node:console';
import { PassThrough } from 'node:stream';
import { afterEach, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { storage } from '../../instrumentation/context.ts';
import { captureStreams, IDS, requestContext, startLogs } from './harness.ts';

let restore: (() => void)[] = [];

afterEach(() => {
  for (const undo of restore.reverse()) undo();
  restore = [];
});

function capture(env: Record<string, string> = {}, server = true) {
  const started = startLogs(env);
  restore.push(started.logs.captureConsole(() => server));
  return started;
}

/** What a call of the console writes without the kit. */
function bare(fn: () => unknown): { stdout: string; stderr: string } {
  return captureStreams(fn);
}

const CALLS: [name: string, fn: () => unknown][] = [
  ['log', () => console.log('hello %s %d %o', 'you', 3, { a: 1 }, [2])],
  ['log of nothing', () => console.log()],
  ['info', () => console.info({ deep: { deep: { deep: { deep: 1 } } } })],
  ['debug', () => console.debug(null, undefined, Symbol('s'), 10n)],
  ['warn', () => console.warn('careful\nsecond line')],
  ['error', () => console.error(Object.assign(new Error('broken'), { stack: 'Error: broken\n    at x' }))],
  ['dir', () => console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 })],
  ['dirxml', () => console.dirxml({ a: 1 }, 'b')],
  ['table', () => console.table([{ a: 1 }, { b: 2 }])],
  ['assert that holds', () => console.assert(true, 'no')],
  ['assert that fails', () => console.assert(false, 'because %s', 'x')],
  ['group', () => [console.group('outer'), console.log('in\nside'), console.groupEnd(), console.log('out')]],
  ['count', () => [console.count('n'), console.count('n'), console.countReset('n')]],
  ['an unknown label', () => console.countReset('never seen')],
];

describe('O11Y_CAPTURE_CONSOLE=ship: what is written is what the console writes', () => {
  for (const [name, fn] of CALLS) {
    test(name, () => {
      const expected = bare(fn);
      const { items } = capture({ O11Y_CAPTURE_CONSOLE: 'ship' });
      const written = captureStreams(() => storage.run(requestContext(), fn));
      assert.deepEqual(written, expected);
      const lines = (expected.stdout + expected.stderr).length > 0;
      assert.equal(items.length > 0, lines);
      for (const { line } of items) assert.equal(JSON.parse(line).trace_id, IDS.trace_id);
    });
  }

  test('the stack of console.trace starts with the caller', () => {
    capture({ O11Y_CAPTURE_CONSOLE: 'ship' });
    const { stderr } = captureStreams(() => console.trace('here'));
    assert.match(stderr, /^Trace: here\n {4}at .*console\.test\.ts/);
  });
});

describe('levels and messages of what is shipped', () => {
  const SHIPPED: [name: string, fn: () => unknown, level: number, msg: string | RegExp][] = [
    ['log', () => console.log('a %s', 'b', 3), 30, 'a b 3'],
    ['info', () => console.info('a'), 30, 'a'],
    ['debug', () => console.debug('a'), 20, 'a'],
    ['warn', () => console.warn('a'), 40, 'a'],
    ['error', () => console.error('a'), 50, 'a'],
    ['trace', () => console.trace('here'), 10, /^Trace: here\n {4}at /],
    ['assert', () => console.assert(false, 'x'), 50, 'Assertion failed: x'],
    ['table', () => console.table([[1]]), 30, /┌/],
    ['dir', () => console.dir({ a: 1 }), 30, '{ a: 1 }'],
    ['count', () => [console.count('c'), console.countReset('c')], 30, 'c: 1'],
    ['timeEnd', () => [console.time('t'), console.timeEnd('t')], 30, /^t: /],
    ['group', () => [console.group('g'), console.groupEnd()], 30, 'g'],
    ['colours', () => console.log('\u001b[31mred\u001b[0m'), 30, 'red'],
    ['secrets', () => console.log('login with password=hunter2'), 30, 'login with password=[redacted]'],
  ];
  for (const mode of ['ship', 'json']) {
    for (const [name, fn, level, msg] of SHIPPED) {
      test(`${name} (${mode})`, () => {
        const { items, levels } = capture({ O11Y_CAPTURE_CONSOLE: mode });
        captureStreams(fn);
        assert.equal(items.length, 1, 'one call, one record');
        assert.equal(items[0].level, level);
        assert.equal(levels.length, 1);
        const line = JSON.parse(items[0].line);
        if (typeof msg === 'string') assert.equal(line.msg, msg);
        else assert.match(line.msg, msg);
      });
    }
  }

  test('an error stands in full under err, and by its text in the message', () => {
    const { items } = capture({ O11Y_CAPTURE_CONSOLE: 'ship' });
    const error = new TypeError('broken', { cause: new Error('why') });
    captureStreams(() => {
      console.error(error);
      console.error('job %d failed:', 7, error);
    });
    const [alone, among] = items.map(({ line }) => JSON.parse(line));
    assert.equal(alone.msg, 'broken');
    assert.equal(among.msg, 'job 7 failed: TypeError: broken');
    for (const { err } of [alone, among]) {
      assert.deepEqual([err.type, err.message, err.cause.message], ['TypeError', 'broken', 'why']);
      assert.match(err.stack, /console\.test\.ts/);
    }
  });

  test('a very long line is shipped shortened, and written whole', () => {
    const { items } = capture({ O11Y_CAPTURE_CONSOLE: 'ship' });
    const text = 'x'.repeat(500_000);
    assert.equal(captureStreams(() => console.log(text)).stdout, `${text}\n`);
    assert.ok(items[0].line.length < 66_000);
  });
});

describe('JSON on stdout', () => {
  test('a line of the contract, on the stream where it would have gone', () => {
    const { items } = capture({ O11Y_CAPTURE_CONSOLE: 'json' });
    const { stdout, stderr } = captureStreams(() =>
      storage.run(requestContext(), () => {
        console.log('sold', { id: 17 });
        console.error('lost');
      }),
    );
    const { time, ...line } = JSON.parse(stdout);
    assert.deepEqual(line, { level: 'info', ...IDS, service: 'shop', msg: 'sold { id: 17 }' });
    assert.equal(new Date(time).toISOString(), time);
    assert.equal(JSON.parse(stderr).level, 'error');
    assert.equal(stdout, items[0].line);
  });

  test('a line that is JSON already keeps its shape and gains the ids', () => {
    const { items } = capture({ O11Y_CAPTURE_CONSOLE: 'json' });
    const { stdout } = captureStreams(() =>
      storage.run(requestContext(), () => {
        console.log('{"level":"warn","message":"own"}');
        console.log('{"severity":"ERROR","msg":"other","trace_id":"mine"}');
        console.log('{}');
      }),
    );
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(lines, [
      { ...IDS, level: 'warn', message: 'own' },
      { correlation_id: IDS.correlation_id, severity: 'ERROR', msg: 'other', trace_id: 'mine' },
      {},
    ]);
    assert.deepEqual(
      items.map(({ level, messageKey }) => [level, messageKey]),
      [
        [40, 'message'],
        [50, 'msg'],
        [30, 'message'],
      ],
    );
  });

  const WHEN: [name: string, env: Record<string, string>, server: boolean, json: boolean][] = [
    ['auto, a process that listens', {}, true, true],
    ['auto, a script', {}, false, false],
    ['auto, O11Y_LOG_FORMAT=pretty', { O11Y_LOG_FORMAT: 'pretty' }, true, false],
    ['auto, a script with O11Y_LOG_FORMAT=json', { O11Y_LOG_FORMAT: 'json' }, false, false],
    ['ship', { O11Y_CAPTURE_CONSOLE: 'ship' }, true, false],
    ['json', { O11Y_CAPTURE_CONSOLE: 'json' }, false, true],
  ];
  for (const [name, env, server, json] of WHEN) {
    test(`${name}: ${json ? 'JSON' : 'untouched'}, and shipped`, () => {
      const { items } = capture(env, server);
      const { stdout } = captureStreams(() => console.log('hello'));
      if (json) assert.equal(JSON.parse(stdout).msg, 'hello');
      else assert.equal(stdout, 'hello\n');
      assert.equal(items.length, 1);
    });
  }

  test('auto: lines before the process listens stay as they are', () => {
    let server = false;
    restore.push(startLogs().logs.captureConsole(() => server));
    const { stdout } = captureStreams(() => {
      console.log('before');
      server = true;
      console.log('after');
    });
    const [before, after] = stdout.split('\n');
    assert.equal(before, 'before');
    assert.equal(JSON.parse(after).msg, 'after');
  });
});

describe("the console stays the app's", () => {
  test('off: nothing is touched', () => {
    const { log } = console;
    const { items } = capture({ O11Y_CAPTURE_CONSOLE: 'off' });
    assert.equal(console.log, log);
    captureStreams(() => console.log('x'));
    assert.equal(items.length, 0);
  });

  test('every method returns undefined, keeps its name, and works without its object', () => {
    const names = ['log', 'info', 'debug', 'warn', 'error', 'dir'] as const;
    const before = names.map((name) => console[name].name);
    capture({ O11Y_CAPTURE_CONSOLE: 'json' });
    captureStreams(() => {
      for (const name of names) {
        const method = console[name];
        assert.equal(method('x'), undefined);
      }
    });
    assert.deepEqual(
      names.map((name) => console[name].name),
      before,
    );
  });

  test('an argument that cannot be formatted throws as before, and only once', () => {
    const hostile = {
      [inspect.custom]() {
        throw new RangeError('mine');
      },
    };
    for (const mode of ['ship', 'json']) {
      const { items } = capture({ O11Y_CAPTURE_CONSOLE: mode });
      captureStreams(() => assert.throws(() => console.log(hostile), RangeError));
      assert.equal(items.length, 0);
      assert.equal(captureStreams(() => console.log('next')).stdout.includes('next'), true);
      assert.equal(items.length, 1, 'the next line is captured again');
    }
  });

  test('a console call inside of an argument is written, and does not run in a circle', () => {
    const talking = {
      [inspect.custom]() {
        console.log('inner');
        return 'outer';
      },
    };
    capture({ O11Y_CAPTURE_CONSOLE: 'ship' });
    assert.match(captureStreams(() => console.log(talking)).stdout, /inner\n(inner\n)?outer\n/);
  });

  test('consoles that the app makes are its own', () => {
    const { items } = capture({ O11Y_CAPTURE_CONSOLE: 'json' });
    const stream = new PassThrough();
    new Console(stream).log('own');
    assert.equal(String(stream.read()), 'own\n');
    assert.equal(items.length, 0);
  });

  test('a console that was replaced after us stays replaced', () => {
    const { log: before } = console;
    restore.push(() => {
      console.log = before;
    });
    const { logs, items } = startLogs({ O11Y_CAPTURE_CONSOLE: 'ship' });
    const stop = logs.captureConsole(() => true);
    const { log: captured } = console;
    const theirs = (text: string) => captured(`theirs: ${text}`);
    console.log = theirs;
    assert.equal(captureStreams(() => console.log('x')).stdout, 'theirs: x\n');
    assert.equal(items.length, 1);
    stop();
    assert.equal(console.log, theirs);
  });

  test('stop gives every method back', () => {
    const before = { ...console };
    const stop = startLogs({ O11Y_CAPTURE_CONSOLE: 'json' }).logs.captureConsole(() => true);
    assert.notEqual(console.log, before.log);
    stop();
    assert.deepEqual({ ...console }, before);
  });

  test('an outlet that throws costs the line nothing', () => {
    const failing = () => {
      throw new Error('ours');
    };
    const { logs } = startLogs({ O11Y_CAPTURE_CONSOLE: 'json' }, { outlet: { push: failing } });
    restore.push(logs.captureConsole(() => true));
    assert.equal(captureStreams(() => console.log('hello')).stdout, 'hello\n');
  });
});
