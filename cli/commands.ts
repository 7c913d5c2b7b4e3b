import { type Command, type Terminal, Trouble, UsageError } from './command.ts';
import { version } from './version.ts';

interface Entry {
  name: string;
  summary: string;
  load: () => Promise<{ default: Command }>;
}

/** Every command; a command is loaded only when it is asked for. */
const COMMANDS: readonly Entry[] = [
  { name: 'view', summary: 'show traces, logs and metrics of apps on this machine', load: () => import('./view.ts') },
  { name: 'trace', summary: 'print a trace as a tree', load: () => import('./trace.ts') },
  { name: 'run', summary: 'start a command preloaded, with a viewer if none answers', load: () => import('./run.ts') },
  { name: 'doctor', summary: 'say what of an app is observed, what is not, and why', load: () => import('./doctor.ts') },
  { name: 'up', summary: 'start the full stack in Docker: Grafana, Prometheus, Loki, Tempo', load: () => import('./up.ts') },
  { name: 'down', summary: 'stop the full stack', load: () => import('./down.ts') },
  { name: 'status', summary: 'say how the full stack does, and what it has', load: () => import('./status.ts') },
  { name: 'init', summary: 'copy the stack, dashboards and alert rules into a project', load: () => import('./init.ts') },
  { name: 'export', summary: 'write rules, dashboards and scraping for Kubernetes', load: () => import('./export.ts') },
];

/** Does what `argv` says. @returns the exit code */
export async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [name = '', ...args] = argv;
  if (name === '' || name === 'help' || name === '--help' || name === '-h') return help(args[0], terminal);
  if (name === '--version' || name === '-v') {
    terminal.out(version());
    return 0;
  }
  const entry = COMMANDS.find((one) => one.name === name);
  if (entry === undefined) return unknown(name, terminal);
  const { default: command } = await entry.load();
  if (wantsHelp(args)) {
    terminal.out(command.help);
    return 0;
  }
  try {
    return await command.run(args, terminal);
  } catch (error) {
    if (error instanceof Trouble) {
      terminal.error(error.message);
      return 1;
    }
    if (!(error instanceof UsageError)) throw error;
    terminal.error(`o11y-kit ${name}: ${error.message}`);
    terminal.error(`See: o11y-kit ${name} --help`);
    return 2;
  }
}

async function help(name: string | undefined, terminal: Terminal): Promise<number> {
  if (name !== undefined && !name.startsWith('-')) {
    const entry = COMMANDS.find((one) => one.name === name);
    if (entry === undefined) return unknown(name, terminal);
    terminal.out((await entry.load()).default.help);
    return 0;
  }
  terminal.out(`o11y-kit ${version()}\n\nUsage: o11y-kit <command> [options]\n\n${list()}\n`);
  terminal.out('o11y-kit <command> --help says more. No command is needed in production:');
  terminal.out('  node --import o11y-kit/preload app.js');
  return 0;
}

function unknown(name: string, terminal: Terminal): number {
  terminal.error(`o11y-kit: there is no command "${name}". There are:\n${list()}`);
  return 2;
}

function list(): string {
  const width = Math.max(...COMMANDS.map((one) => one.name.length));
  return COMMANDS.map((one) => `  ${one.name.padEnd(width)}  ${one.summary}`).join('\n');
}

/** Behind `--` the arguments are someone else's. */
function wantsHelp(args: readonly string[]): boolean {
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  return own.includes('--help') || own.includes('-h');
}
