import { basename } from 'node:path';

/** Stacks that are read to find names, in the life of the process: an app that makes a policy a request costs no more. */
const MOST_READINGS = 2000;
/** Frames to look at: policies wrapped in policies are deep. */
const DEPTH = 40;

const FRAME = /^\s*at (?:async )?(?:new )?(?:(.+?) (?:\[as [^\]]+\] )?\()?((?:file:\/\/)?[^()]+?):(\d+):\d+\)?$/;
const FOREIGN = /[\\/]node_modules[\\/]|^node:|[\\/]dist[\\/]kit\.cjs$/;

let readings = 0;

/**
 * A name for what has none, by the app's code that uses it: the innermost function of the app on the stack (`sendMail`,
 * `Mailer.send`), or file and line where that function has no name (`mailer.js:12`). To be called once for an object.
 *
 * @param fallback where no code of the app is on the stack
 */
export function callSite(fallback: string): string {
  if (readings >= MOST_READINGS) return fallback;
  readings++;
  const limit = Error.stackTraceLimit;
  try {
    Error.stackTraceLimit = DEPTH;
    return nameIn(String(new Error().stack)) ?? fallback;
  } catch {
    // An app's own `Error.prepareStackTrace`, or a frozen Error.
    return fallback;
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function nameIn(stack: string): string | undefined {
  for (const line of stack.split('\n').slice(1)) {
    const [, called, file, row] = FRAME.exec(line) ?? [];
    if (file === undefined || FOREIGN.test(file)) continue;
    const name = called?.replace(/^(Object|Module|Function|exports|module\.exports)\./, '');
    return name === undefined || /<anonymous>|^Object$/.test(name) ? `${basename(file)}:${row}` : name;
  }
  return undefined;
}
