import { requestLine } from '../viewer/terminal/request-line.ts';
import { style } from '../viewer/terminal/text.ts';
import { DEFAULT_PORT, startViewerServer, type Viewer, type ViewerOptions } from '../viewer/viewer.ts';
import { httpUrl, parse, port, positive } from './arguments.ts';
import { built } from './built.ts';
import type { Command, Terminal } from './command.ts';
import { describe, portOwner } from './port-owner.ts';
import { untilStopped } from './signals.ts';
import { makeTargetsFolder } from './targets.ts';
import { version } from './version.ts';

const help = `Usage: o11y-kit view [options]

Receives what apps on this machine send, and shows it on http://localhost:${DEFAULT_PORT}.

  --port N       port to listen on (${DEFAULT_PORT}, where apps send by default)
  --no-page      print a line for each request instead of the address of the page
  --scrape URL   read this metrics page too, once for each (apps with the preload announce theirs)
  --memory MB    what traces, logs and metrics may take (64); beyond it the oldest go
  --db FILE      keep traces and logs in this SQLite file, so that they survive a restart (Node 22.13 and later)`;

const view: Command = {
  help,
  async run(args, terminal) {
    const { values } = parse({
      args,
      options: {
        port: { type: 'string', default: String(DEFAULT_PORT) },
        'no-page': { type: 'boolean', default: false },
        scrape: { type: 'string', multiple: true, default: [] },
        memory: { type: 'string', default: '64' },
        db: { type: 'string' },
      },
    });
    const noPage = values['no-page'];
    const viewer = await open(port(values.port), terminal, {
      scrape: values.scrape.map((url) => httpUrl('--scrape', url)),
      memoryBytes: positive('--memory', values.memory) * 1024 * 1024,
      database: values.db,
      problem: terminal.error,
      onSpans: noPage ? printRequests(terminal) : undefined,
    });
    if (viewer === undefined) return 1;
    // Before anything is printed: whoever reads it may send the signal at once.
    const stopped = untilStopped();
    const problem = makeTargetsFolder(terminal.env);
    if (problem !== '') terminal.error(`Apps will not leave their scrape addresses for Prometheus: ${problem}`);
    if (noPage) terminal.error(`Receiving on ${viewer.url}; a line for each request follows.`);
    else {
      terminal.out(`Viewer: ${viewer.url}`);
      terminal.out('Waiting for apps: node --import o11y-kit/preload app.js   (Ctrl-C ends)');
    }
    await stopped;
    await viewer.close();
    return 0;
  },
};

export default view;

/** Starts a viewer, or says who has its port. */
async function open(
  wanted: number,
  terminal: Terminal,
  options: Omit<ViewerOptions, 'version' | 'port'>,
): Promise<Viewer | undefined> {
  try {
    return await startViewerServer({ ...options, port: wanted, version: version(), assets: built('viewer') });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') terminal.error(describe(wanted, await portOwner(wanted)));
    else if (code === 'EACCES') terminal.error(`Port ${wanted} is not allowed to this user: give --port N above 1023.`);
    else terminal.error(`The viewer cannot start: ${message}`);
    return undefined;
  }
}

function printRequests(terminal: Terminal): ViewerOptions['onSpans'] {
  const painted = style(terminal.colour);
  return (spans) => {
    for (const span of spans) {
      const line = requestLine(span, painted);
      if (line !== undefined) terminal.out(line);
    }
  };
}
