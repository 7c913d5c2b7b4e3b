import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IDENTITY_HEADER } from '../../../viewer/server/headers.ts';
import { DEFAULT_PORT, startViewerServer } from '../../../viewer/viewer.ts';

const root = join(import.meta.dirname, '../../..');

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
    if (port !== undefined)
      throw new Error(`Port ${port} is taken; choose another with --port, or 0 for a free one.`, { cause: error });
  }
  const url = `http://localhost:${DEFAULT_PORT}`;
  if (await isViewer(url)) {
    say(`A viewer runs on port ${DEFAULT_PORT} already; the services report to it.`);
    return { url, close: async () => {} };
  }
  const viewer = await start(0);
  say(`Port ${DEFAULT_PORT} is taken by another program, so the viewer is on port ${viewer.port}: ${viewer.url}`);
  return viewer;
}

function start(port: number) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return startViewerServer({ port, version, assets: join(root, 'dist/viewer') });
}

async function isViewer(url: string): Promise<boolean> {
  try {
    const { headers } = await fetch(`${url}/api/status`, { signal: AbortSignal.timeout(2000) });
    return headers.has(IDENTITY_HEADER);
  } catch {
    return false;
  }
}
