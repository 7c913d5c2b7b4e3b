import { built } from '../../../cli/built.ts';
import { describe, portOwner } from '../../../cli/port-owner.ts';
import { version } from '../../../cli/version.ts';
import { DEFAULT_PORT, startViewerServer } from '../../../viewer/viewer.ts';

export interface OpenViewer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * The viewer for the demo: one that already runs on the usual port is used, another program there is left alone and a free
 * port taken instead, and said so either way. A port that was asked for is used as it is or not at all.
 */
export async function openViewer(port: number | undefined, say: (line: string) => void): Promise<OpenViewer> {
  try {
    return await start(port ?? DEFAULT_PORT);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
  }
  const owner = await portOwner(port ?? DEFAULT_PORT);
  if (port !== undefined) throw new Error(describe(port, owner));
  if (owner.kind === 'viewer') {
    say(`A viewer (${owner.version}) runs on port ${DEFAULT_PORT} already; the services report to it.`);
    return { url: `http://localhost:${DEFAULT_PORT}`, close: async () => {} };
  }
  const viewer = await start(0);
  const who = owner.kind === 'collector' ? 'an OpenTelemetry collector' : 'another program';
  const server = 'server' in owner && owner.server ? ` ("${owner.server}")` : '';
  say(`Port ${DEFAULT_PORT} is taken by ${who}${server}, so the demo has a viewer of its own on port ${viewer.port}.`);
  return viewer;
}

function start(port: number) {
  return startViewerServer({ port, version: version(), assets: built('viewer') });
}
