import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { NODES } from '../support/nodes.ts';
import { type App, AppFolder } from './apps.ts';

/** An app, and what the kit does in it. How it ends is not said here: as it does without the kit. */
interface Row extends App {
  readonly name: string;
  readonly kit: readonly string[];
}

const serve = `require('node:http').createServer().listen(0, '127.0.0.1', () => console.log('up'));`;
const forever = `setInterval(() => {}, 1000); console.log('up');`;
const term = [{ after: 'up', send: 'SIGTERM' }] as const;

const rode = ['flush begins, draining', 'flushed'];
const ended = ['end', 'flushed at once, at most 5000 ms'];
const alone = [...rode, 'end'];

const ROWS: readonly Row[] = [
  { name: 'no handler, SIGTERM', code: forever, signals: term, kit: alone },
  { name: 'no handler, SIGINT', code: forever, signals: [{ after: 'up', send: 'SIGINT' }], kit: alone },
  { name: 'no handler, SIGHUP', code: forever, signals: [{ after: 'up', send: 'SIGHUP' }], kit: alone },
  { name: 'no handler, SIGUSR2', code: forever, signals: [{ after: 'up', send: 'SIGUSR2' }], kit: alone },
  {
    name: 'no handler, a server',
    code: serve,
    signals: term,
    kit: ['info SIGTERM: stopping', ...alone],
  },
  {
    name: 'no handler, an export that never ends',
    code: forever,
    env: { FLUSH_MS: 'Infinity', O11Y_SHUTDOWN_TIMEOUT_MS: '200' },
    signals: term,
    kit: ['flush begins, draining', 'end'],
  },
  {
    name: 'no handler, a second signal',
    code: forever,
    env: { FLUSH_MS: 'Infinity' },
    signals: [...term, { after: 'flush begins', send: 'SIGTERM' }],
    kit: ['flush begins, draining'],
  },
  {
    name: 'a handler that closes the server',
    code: `const server = ${serve} process.on('SIGTERM', () => server.close(() => console.log('closed')));`,
    signals: term,
    kit: ['flush begins, draining', ...ended],
  },
  {
    name: 'a handler that exits at once',
    code: `process.on('SIGTERM', () => process.exit(0)); ${forever}`,
    signals: term,
    kit: ['flush begins, draining', ...ended],
  },
  {
    name: 'a handler that exits later, with a code',
    code: `process.on('SIGTERM', () => setTimeout(() => process.exit(7), 300)); ${forever}`,
    signals: term,
    kit: [...rode, ...ended],
  },
  {
    name: 'a handler for once, which drains',
    code: `const timer = setInterval(() => {}, 1000);
      process.once('SIGTERM', () => setTimeout(() => { clearInterval(timer); console.log('drained'); }, 300)); console.log('up');`,
    signals: term,
    kit: [...rode, ...ended],
  },
  {
    name: 'a handler for once, and a second signal',
    code: `process.once('SIGTERM', () => console.log('handled')); ${forever}`,
    env: { FLUSH_MS: '300' },
    signals: [...term, { after: 'handled', send: 'SIGTERM' }],
    kit: ['flush begins, draining', 'flush begins, draining', 'flushed', 'flushed', 'end'],
  },
  {
    name: 'a handler that ignores the signal, twice',
    code: `let n = 0; process.on('SIGTERM', () => { console.log('ignored ' + ++n); if (n === 2) setTimeout(() => process.exit(3), 200); }); ${forever}`,
    signals: [...term, { after: 'ignored 1', send: 'SIGTERM' }],
    kit: ['flush begins, draining', 'flush begins, draining', 'flushed', 'flushed', ...ended],
  },
  {
    name: 'a handler that sends the signal again, as Nest does',
    code: `const handler = () => setTimeout(() => { process.removeListener('SIGTERM', handler); process.kill(process.pid, 'SIGTERM'); }, 100);
      process.on('SIGTERM', handler); ${forever}`,
    signals: term,
    kit: [...rode, ...alone],
  },
  {
    name: 'a handler that was taken away again',
    code: `const handler = () => {}; process.on('SIGTERM', handler); process.off('SIGTERM', handler); ${forever}`,
    signals: term,
    kit: alone,
  },
  {
    name: 'removeAllListeners',
    code: `process.on('SIGTERM', () => {}); process.removeAllListeners('SIGTERM'); ${forever}`,
    signals: term,
    kit: alone,
  },
  {
    name: 'a handler that counts the handlers',
    code: `process.on('SIGTERM', () => { if (process.listenerCount('SIGTERM') === 1) setTimeout(() => process.exit(5), 200); }); ${forever}`,
    signals: term,
    kit: [...rode, ...ended],
  },
  {
    name: 'signal-exit 3',
    code: `require('signal-exit3')((code, signal) => console.log('hook', code, signal)); ${forever}`,
    signals: term,
    kit: ['flush begins, draining', 'flush begins, draining', 'flushed', 'flushed', 'end'],
  },
  {
    name: 'signal-exit 4',
    code: `require('signal-exit4').onExit((code, signal) => console.log('hook', code, signal)); ${forever}`,
    signals: term,
    kit: ['flush begins, draining', 'flush begins, draining', 'flushed', 'flushed', 'end'],
  },
  {
    name: 'a handler for another signal only',
    code: `process.on('SIGINT', () => console.log('never')); ${forever}`,
    signals: term,
    kit: alone,
  },
  {
    name: 'SIGHUP that reloads',
    code: `process.on('SIGHUP', () => { console.log('reloaded'); process.exit(0); }); ${forever}`,
    signals: [{ after: 'up', send: 'SIGHUP' }],
    kit: ['flush begins, starting', ...ended],
  },
  { name: 'natural end', code: `console.log('done');`, kit: ended },
  { name: 'natural end with an exit code', code: `process.exitCode = 4;`, kit: ended },
  { name: 'exits at once', code: `process.exit(2);`, kit: ended },
  {
    name: 'an exit listener that throws',
    code: `process.on('exit', () => { throw new Error('late'); });`,
    kit: [...ended, 'count exception', 'fatal Uncaught exception: Error: late', ended[1]],
  },
  {
    name: 'throws at start',
    code: `throw new TypeError('broken');`,
    kit: ['count exception', 'fatal Uncaught exception: TypeError: broken', ...ended],
  },
  {
    name: 'throws at start, ES module',
    esm: true,
    code: `throw new TypeError('broken');`,
    kit: ['count exception', 'fatal Uncaught exception: TypeError: broken', ...ended],
  },
  {
    name: 'throws later',
    code: `${serve} setTimeout(() => { throw new Error('later'); }, 50);`,
    kit: ['count exception', 'fatal Uncaught exception: Error: later', ...ended],
  },
  {
    name: 'throws something that is no error',
    code: `setTimeout(() => { throw null; }, 1);`,
    kit: ['count exception', 'fatal Uncaught exception: null', ...ended],
  },
  {
    name: 'throws, and handles it',
    code: `process.on('uncaughtException', (error) => { console.log('mine', error.message); }); setTimeout(() => { throw new Error('caught'); }, 1);`,
    kit: ['count exception', 'error Uncaught exception: Error: caught', ...ended],
  },
  {
    name: 'throws, and exits in its handler',
    code: `process.on('uncaughtException', () => process.exit(9)); ${forever} setTimeout(() => { throw new Error('x'); }, 1);`,
    kit: ['count exception', 'error Uncaught exception: Error: x', ...ended],
  },
  { name: 'syntax error', code: `const = 1;`, kit: ['count exception', 'fatal Uncaught exception: SyntaxError: ', ...ended] },
  { name: 'a top-level await that never ends', esm: true, code: `await new Promise(() => {});`, kit: ended },
];

const reject = `Promise.reject(new Error('no')); setTimeout(() => console.log('went on'), 100);`;
const fatal = ['count rejection', 'fatal Unhandled rejection: Error: no', ...ended];
const told = ['count rejection', 'error Unhandled rejection: Error: no', ...ended];

const REJECTIONS: readonly Row[] = [
  { name: 'rejection', code: reject, kit: fatal },
  {
    name: 'rejection of something that is no error',
    code: `Promise.reject(7);`,
    kit: ['count rejection', 'fatal Unhandled rejection: ', ...ended],
  },
  { name: 'rejection, --unhandled-rejections=strict', flags: ['--unhandled-rejections=strict'], code: reject, kit: fatal },
  { name: 'rejection, --unhandled-rejections=warn', flags: ['--unhandled-rejections=warn'], code: reject, kit: told },
  { name: 'rejection, --unhandled-rejections=none', flags: ['--unhandled-rejections=none'], code: reject, kit: told },
  {
    name: 'rejection, --unhandled-rejections=warn-with-error-code',
    flags: ['--unhandled-rejections=warn-with-error-code'],
    code: reject,
    kit: told,
  },
  {
    name: 'rejection that the app handles',
    code: `process.on('unhandledRejection', (error) => console.log('mine', error.message)); ${reject}`,
    kit: ['count rejection', ...ended],
  },
  {
    name: 'rejection that the app handles as an exception',
    code: `process.on('uncaughtException', (error, origin) => console.log('mine', origin)); ${reject}`,
    kit: ['count rejection', 'error Unhandled rejection: Error: no', ...ended],
  },
  {
    name: 'two rejections at once, --unhandled-rejections=strict, handled as exceptions',
    flags: ['--unhandled-rejections=strict'],
    code: `process.on('uncaughtException', () => {}); Promise.reject(new Error('no')); Promise.reject(new Error('no'));`,
    kit: [...Array(2).fill(told.slice(0, 2)).flat(), ...ended],
  },
  {
    name: 'two rejections at once, --unhandled-rejections=warn',
    flags: ['--unhandled-rejections=warn'],
    code: `Promise.reject(new Error('no')); Promise.reject(new Error('no'));`,
    kit: [told[0], told[0], told[1], told[1], ...ended],
  },
];

const folder = new AppFolder();
before(() => folder.prepare());
after(() => folder.remove());

for (const node of NODES) {
  describe(`on Node ${node.major}`, { skip: node.skip, concurrency: 2 }, () => {
    for (const row of [...ROWS, ...REJECTIONS]) {
      test(row.name, async () => {
        const bare = await folder.run(node.path, { ...row, signals: row.signals?.filter(({ after }) => !isKit(after)) }, false);
        const preloaded = await folder.run(node.path, row, true);
        const seen = JSON.stringify({ bare, preloaded }, null, 2);
        const { code, signal, output } = preloaded;
        assert.deepEqual({ code, signal, output }, { code: bare.code, signal: bare.signal, output: bare.output }, seen);
        // Of two flushes, the first may be over before the second begins, or not.
        const twice = row.kit.filter((line) => line.startsWith('flush begins')).length > 1;
        const [said, expected] = twice ? [preloaded.kit.toSorted(), row.kit.toSorted()] : [preloaded.kit, row.kit];
        assert.equal(said.length, expected.length, seen);
        for (const [index, line] of expected.entries()) assert.ok(matches(said[index], line), `${line}: ${seen}`);
      });
    }
  });
}

/** Whether a line to wait for is written by the kit alone. */
function isKit(text: string): boolean {
  return text.startsWith('flush');
}

/** Equal, or a beginning that ends with ": ". */
function matches(line: string, expected: string): boolean {
  return expected.endsWith(': ') ? line.startsWith(expected) : line === expected;
}
