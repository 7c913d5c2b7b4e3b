import { SETTINGS } from '../../instrumentation/config.ts';
import { type Setting, show } from '../../instrumentation/settings.ts';
import { code, page, table } from './markdown.ts';

/** `docs/configuration.md`, from the table of settings. */
export function configuration(): string {
  const all: Setting<unknown>[] = Object.values(SETTINGS);
  const own = all.filter(({ env }) => env.startsWith('O11Y_'));
  const standard = all.filter((setting) => !own.includes(setting));
  return page(
    'instrumentation/config.ts',
    '# Settings',
    [
      'Every setting is an environment variable; none is needed. An empty variable counts as unset. A bad value never stops',
      'the app: one line on stderr says what was wrong, what is allowed and what is used instead. `o11y-kit doctor` checks all of',
      'them at once, misspelt names included. Values of settings marked *secret* are never printed.',
    ].join('\n'),
    '## OpenTelemetry',
    [
      'The variables of the [OpenTelemetry specification](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/),',
      'with its meaning.',
    ].join('\n'),
    settings(standard),
    '## o11y-kit',
    'For what OpenTelemetry has no variable.',
    settings(own),
  );
}

function settings(list: readonly Setting<unknown>[]): string {
  return table(
    ['variable', 'default', 'allowed', 'meaning'],
    list.map((setting) => [code(setting.env), fallback(setting), setting.allowed, meaning(setting)]),
  );
}

function fallback({ fallback, fallbackText }: Setting<unknown>): string {
  if (fallbackText !== undefined) return /^OTEL_\S+$/.test(fallbackText) ? `as ${code(fallbackText)}` : fallbackText;
  const shown = show(fallback);
  // `show` says "none" for an empty value; where "none" is a value itself, it is no default.
  return shown === 'none' ? '*none*' : code(shown);
}

function meaning({ doc, secret }: Setting<unknown>): string {
  return secret ? `${doc} *Secret.*` : doc;
}
