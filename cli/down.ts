import { createInterface } from 'node:readline/promises';
import { parse } from './arguments.ts';
import { type Command, UsageError } from './command.ts';
import { containers, PROJECT } from './stack/containers.ts';
import { docker, dockerShown, type Env } from './stack/docker.ts';
import { engine } from './stack/engine.ts';

const help = `Usage: o11y-kit down [options]

Stops the full stack and removes its containers. What it has stored is kept for the next o11y-kit up.

  --volumes   delete what it has stored too: metrics, traces, logs, and what was changed in Grafana
  --yes       do not ask whether that is meant; needed where there is no terminal`;

const down: Command = {
  help,
  async run(args, terminal) {
    const { values } = parse({
      args,
      options: { volumes: { type: 'boolean', default: false }, yes: { type: 'boolean', short: 'y', default: false } },
    });
    const asks = values.volumes && !values.yes;
    if (asks && !process.stdin.isTTY)
      throw new UsageError('--volumes deletes what is stored: add --yes, as nobody can be asked here');
    await engine(terminal.env);
    const [all, volumes] = [await containers(terminal.env), await volumesOf(terminal.env)];
    if (all.length === 0 && (!values.volumes || volumes.length === 0)) {
      terminal.out(
        volumes.length === 0
          ? 'The stack is not there.'
          : 'The stack is not running; what it has stored is kept (--volumes deletes it).',
      );
      return 0;
    }
    if (asks && !(await confirmed(volumes))) {
      terminal.out('Nothing was changed.');
      return 1;
    }
    // By name: it also finds containers of overlays and profiles, and needs no files.
    const stop = ['compose', '--project-name', PROJECT, 'down', '--remove-orphans'];
    const code = await dockerShown([...stop, ...(values.volumes ? ['--volumes'] : [])], terminal.env);
    if (code !== 0) {
      terminal.error(`The stack is not wholly gone: what Docker says above is the reason. o11y-kit down tries again.`);
      return code === 130 || code === 143 ? code : 1;
    }
    terminal.out(
      values.volumes
        ? 'The stack is gone, and what it had stored.'
        : 'The stack is stopped. What it has stored is kept for the next o11y-kit up.',
    );
    return 0;
  },
};

export default down;

async function volumesOf(env: Env): Promise<string[]> {
  const { code, out } = await docker(['volume', 'ls', '--quiet', '--filter', `label=com.docker.compose.project=${PROJECT}`], env);
  return code === 0 ? out.split('\n').filter((name) => name !== '') : [];
}

async function confirmed(volumes: readonly string[]): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(
      `This deletes all that is stored in ${volumes.join(', ') || 'the stack'}. Delete it? [y/N] `,
    );
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    // Ctrl-C or Ctrl-D.
    return false;
  } finally {
    terminal.close();
  }
}
