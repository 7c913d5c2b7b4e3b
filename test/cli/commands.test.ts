import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { run } from './cli.ts';

describe('o11y-kit', () => {
  it('lists its commands', async () => {
    for (const args of [[], ['help'], ['--help']]) {
      const { code, out } = await run(args);
      assert.equal(code, 0);
      for (const name of ['view', 'trace', 'run', 'doctor', 'up', 'down', 'status', 'init', 'export'])
        assert.match(out, new RegExp(`^  ${name} `, 'm'));
    }
  });

  it('knows its version', async () => {
    const { out } = await run(['--version']);
    assert.match(out, /^\d+\.\d+\.\d+\n$/);
  });

  it('answers an unknown command with the list, and 2', async () => {
    const { code, err } = await run(['veiw']);
    assert.equal(code, 2);
    assert.match(err, /there is no command "veiw".*\n {2}view /s);
  });

  it('explains each command', async () => {
    for (const args of [
      ['view', '--help'],
      ['help', 'view'],
      ['view', '-h'],
    ]) {
      const { code, out } = await run(args);
      assert.equal(code, 0);
      assert.match(out, /Usage: o11y-kit view/);
    }
  });

  const wrong: [string[], RegExp][] = [
    [['view', '--port', 'many'], /--port many: a number from 0 to 65535/],
    [['view', '--memory', '0'], /--memory 0: a number above 0/],
    [['view', '--scrape', 'localhost:9464'], /--scrape localhost:9464: an address such as/],
    [['view', '--colour'], /Unknown option '--colour'/],
    [['view', 'extra'], /Unexpected argument 'extra'/],
    [['trace'], /a trace id is wanted/],
    [['trace', 'abc'], /"abc" holds no trace id/],
    [['run', 'npm', 'test'], /a command is wanted behind --/],
    [['run', '--'], /a command is wanted behind --/],
  ];
  for (const [args, message] of wrong) {
    it(`answers "${args.join(' ')}" with what is wanted, and 2`, async () => {
      const { code, err } = await run(args);
      assert.equal(code, 2, err);
      assert.match(err, message);
      assert.match(err, new RegExp(`See: o11y-kit ${args[0]} --help`));
    });
  }
});
