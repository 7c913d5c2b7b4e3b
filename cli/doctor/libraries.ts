import type { Config } from '../../instrumentation/config.ts';
import type { Library } from '../../instrumentation/libraries/define.ts';
import { isEnabled, LIBRARIES } from '../../instrumentation/libraries/index.ts';
import { inRange } from '../../instrumentation/libraries/range.ts';
import { type Finding, findings } from './finding.ts';
import type { Installed } from './installed.ts';
import { UNWIRED } from './unwired.ts';

const { ok, note, problem } = findings('Libraries');

/** Which of the app's libraries are wired, which are not, and why. */
export function librariesOf(packages: readonly Installed[], config: Config): Finding[] {
  const wired = LIBRARIES.flatMap((library) => ofLibrary(library, packages, config));
  const unwired = packages.flatMap((copy) => {
    const missing = UNWIRED[copy.name];
    return missing === undefined || copy.through !== undefined ? [] : [note(title(copy), `not wired: ${missing}`)];
  });
  return [ok('node:http, https, http2', 'Servers and clients, fetch and undici, always'), ...wired, ...unwired];
}

function ofLibrary(library: Library, packages: readonly Installed[], config: Config): Finding[] {
  return Object.entries(library.packages).flatMap(([name, range]) => {
    const versions = new Map<string, Installed>();
    for (const copy of packages) {
      // Copies of one version are one line; the app's own dependencies come first.
      if (copy.name === name && !versions.has(copy.version)) versions.set(copy.version, copy);
    }
    return [...versions.values()].map((copy) => judge(library, copy, range, config));
  });
}

function judge(library: Library, copy: Installed, range: string, config: Config): Finding {
  const subject = title(copy);
  const gives = (library.gives ?? '').replace(/\.$/, '');
  if (!isEnabled(library.name, config)) {
    const switches = config.disabledInstrumentations.includes(library.name) ? 'DISABLED' : 'ENABLED';
    return note(subject, `left alone, as OTEL_NODE_${switches}_INSTRUMENTATIONS says`);
  }
  if (inRange(copy.version, range)) return ok(subject, gives);
  const text = `Not wired: versions ${range} are. The app works as before, without: ${gives}.`;
  // What another package brings, the app cannot change; it may not even be loaded.
  if (copy.through !== undefined) return note(subject, text);
  return problem(
    subject,
    text,
    `Install ${copy.name} ${range}, or accept it: OTEL_NODE_DISABLED_INSTRUMENTATIONS=${library.name}`,
  );
}

function title({ name, version, through }: Installed): string {
  return `${name} ${version}${through === undefined ? '' : ` of ${through}`}`;
}
