import type { Library } from '../../instrumentation/libraries/define.ts';
import { LIBRARIES } from '../../instrumentation/libraries/index.ts';
import { code, page, table } from './markdown.ts';

/** `docs/libraries.md`, from the array of libraries. */
export function libraries(): string {
  return page(
    'instrumentation/libraries',
    '# Libraries',
    [
      'What is wired when the app loads it, from CommonJS and from ES modules. `node:http`, `node:https`, `node:http2`, `fetch` and undici',
      'need no library. `o11y-kit doctor` says which of these an app has, and in which versions.',
    ].join('\n'),
    table(
      ['name', 'packages', 'what it gives'],
      LIBRARIES.map((library) => [code(library.name), packages(library), library.gives ?? '']),
    ),
    [
      'The name is what `OTEL_NODE_DISABLED_INSTRUMENTATIONS` and `OTEL_NODE_ENABLED_INSTRUMENTATIONS` take. A version outside the range is',
      'left alone, and the app works as without the kit; a pre-release counts as its release.',
    ].join('\n'),
  );
}

/** Entry points below a package (`hono/tiny`) have its range and are not named. */
function packages({ packages }: Library): string {
  return Object.entries(packages)
    .filter(([specifier]) => specifier.split('/').length === (specifier.startsWith('@') ? 2 : 1))
    .map(([name, range]) => `${code(name)} ${range}`)
    .join('; ');
}
