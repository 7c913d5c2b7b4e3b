import type { isMainThread } from 'node:worker_threads';

const OLDEST = [20, 6];

// Tools that start or check apps and are none themselves. Under NODE_OPTIONS they are preloaded too; observing them would take
// the app's port and show `npm` as a service. pm2's ProcessContainer files run the app, so only its own ends are listed.
const TOOLS =
  /[\\/](npm|npx|yarn|pnpm|pnpx|corepack)(-cli)?(\.[cm]?js)?$|[\\/]node_modules[\\/](npm|corepack|yarn|pnpm|nodemon|concurrently|npm-run-all\d?|typescript|eslint|prettier)[\\/]|[\\/]\.yarn[\\/]releases[\\/]|[\\/]nodemon$|[\\/]tsx[\\/]dist[\\/]cli\.mjs$|[\\/]\.?bin[\\/]tsx$|[\\/]pm2[\\/](bin[\\/]|lib[\\/](Daemon|binaries))|[\\/]\.?bin[\\/](pm2|concurrently|tsc|eslint|prettier)$|[\\/]o11y-kit[\\/]dist[\\/]cli\.mjs$|[\\/]\.?bin[\\/]o11y-kit$/;

interface Process {
  readonly version: string;
  readonly entry: string | undefined;
  readonly main: typeof isMainThread;
  /** Node's own loader threads; undefined on Node 20. */
  readonly internal: boolean | undefined;
  /** Whether a preload runs in this process already. */
  readonly started: boolean;
}

/** Why nothing is to start in this process: a text to say, or an empty one for silence; undefined to go on. */
export function reasonNotToStart({ version, entry, main, internal, started }: Process): string | undefined {
  if (!main || internal) return '';
  const [major, minor] = version.slice(1).split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    return `O11Y_UNSUPPORTED_NODE: Node.js ${version} is not supported; ${OLDEST.join('.')} or later is needed. The app runs without telemetry.`;
  }
  if (entry !== undefined && TOOLS.test(entry)) return '';
  if (started) return 'O11Y_ALREADY_STARTED: the preload was imported twice; the second one does nothing.';
  return undefined;
}
