import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { pathToFileURL } from 'node:url';
import { DEFAULT_PORT, startViewerServer, type Viewer } from '../viewer/viewer.ts';
import { parse, port } from './arguments.ts';
import { built } from './built.ts';
import { type Command, type Terminal, UsageError } from './command.ts';
import { describe, portOwner } from './port-owner.ts';
import { forward, untilStopped } from './signals.ts';
import { makeTargetsFolder } from './targets.ts';
import { version } from './version.ts';

const help = `Usage: o11y-kit run [options] -- <command> [arguments]

Starts any command with every Node process in it preloaded, and a viewer if none answers.

  --port N   port of the viewer (${DEFAULT_PORT})
  --keep     leave the viewer running when the command has ended, until Ctrl-C

Example: o11y-kit run -- npm run dev`;

const run: Command = {
  help,
  async run(args, terminal) {
    const split = args.indexOf('--');
    const command = split === -1 ? [] : args.slice(split + 1);
    if (command.length === 0) throw new UsageError('a command is wanted behind --, such as: o11y-kit run -- npm run dev');
    const { values } = parse({
      args: args.slice(0, split),
      options: { port: { type: 'string', default: String(DEFAULT_PORT) }, keep: { type: 'boolean', default: false } },
    });
    const preload = built('preload.mjs');
    if (preload === undefined) {
      terminal.error('The preload is not built: npm run build');
      return 1;
    }
    const at = port(values.port);
    const viewer = await viewerFor(at, terminal);
    const env = environment(terminal.env, preload, viewer?.port ?? at);
    const code = await childOf(command, env, terminal);
    if (viewer && values.keep) {
      terminal.error(`The command has ended (${code}); the viewer goes on at ${viewer.url} (Ctrl-C ends).`);
      await untilStopped();
    }
    await viewer?.close();
    return code;
  },
};

export default run;

/** The viewer that this command starts; undefined where the port has someone. */
async function viewerFor(port: number, terminal: Terminal): Promise<Viewer | undefined> {
  try {
    const viewer = await startViewerServer({ port, version: version(), assets: built('viewer') });
    makeTargetsFolder(terminal.env);
    terminal.error(`Viewer: ${viewer.url}`);
    return viewer;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
      terminal.error(`No viewer: ${(error as Error).message}. The command is started all the same.`);
      return undefined;
    }
    const owner = await portOwner(port);
    if (owner.kind === 'viewer') terminal.error(`Viewer: http://localhost:${port} (it was running already)`);
    else if (owner.kind === 'collector') terminal.error(`A collector answers on port ${port}: telemetry goes there.`);
    else terminal.error(`${describe(port, owner)}\nThe command is started all the same.`);
    return undefined;
  }
}

/** The variables of the child: the preload as an address, so that it is found from every folder. */
function environment(env: Terminal['env'], preload: string, port: number): NodeJS.ProcessEnv {
  const option = `--import ${pathToFileURL(preload)}`;
  const given = env.NODE_OPTIONS?.trim() ?? '';
  const out: NodeJS.ProcessEnv = {
    ...env,
    NODE_OPTIONS: given.includes(option) ? given : `${given} ${option}`.trim(),
  };
  if (port !== DEFAULT_PORT) out.OTEL_EXPORTER_OTLP_ENDPOINT ??= `http://localhost:${port}`;
  return out;
}

/** Runs the command on this terminal. @returns its exit code, by the shell's convention where a signal ended it */
function childOf([program, ...args]: string[], env: NodeJS.ProcessEnv, terminal: Terminal): Promise<number> {
  return new Promise((resolve) => {
    // npm and its kin are scripts on Windows, which only a shell starts.
    const child = spawn(program, args, { stdio: 'inherit', env, shell: process.platform === 'win32' });
    const stop = forward(child);
    child.on('error', (error: NodeJS.ErrnoException) => {
      stop();
      const reason = error.code === 'ENOENT' ? 'there is no such command' : error.message;
      terminal.error(`o11y-kit run: ${program}: ${reason}`);
      resolve(error.code === 'ENOENT' ? 127 : 126);
    });
    child.on('exit', (code, signal) => {
      stop();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
