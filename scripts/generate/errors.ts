import { ERROR_CODES } from '../../instrumentation/errors.ts';
import { page } from './markdown.ts';

/** `docs/errors.md`, from the table of error codes. */
export function errors(): string {
  return page(
    'instrumentation/errors.ts',
    '# Messages of the kit',
    [
      'The kit writes what goes wrong in itself to stderr, one line each, as `o11y-kit: warn: CODE: what, why, and what happens now`. A line',
      'that repeats is written once a minute with the number of times it was held back. `OTEL_LOG_LEVEL` sets how much is said. None of',
      'this ever reaches the code of the app.',
    ].join('\n'),
    ...Object.entries(ERROR_CODES).map(
      ([code, { meaning, effect, remedy }]) => `## ${code}\n\n${meaning} ${effect}\n\n${remedy}`,
    ),
  );
}
