/** Small pieces that every view uses. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { JsonAttributes, JsonValue } from '../../api-types.ts';
import { colour } from '../colours.ts';
import { ansi, plain } from '../text.ts';

/** Text of others on one line: isolated, so that its direction does not reach what stands beside it. */
export function Name({ text, title }: { text: string; title?: boolean }) {
  const shown = plain(text);
  return <bdi title={title === false ? undefined : shown}>{shown}</bdi>;
}

/** A service, always with its colour beside its name. */
export function Service({ name }: { name: string }) {
  return (
    <span class="service">
      <i class="swatch" style={{ background: colour(name) }} aria-hidden="true" />
      <Name text={name} />
    </span>
  );
}

/** A log line with its colours. */
export function Ansi({ text }: { text: string }) {
  return (
    <bdi>
      {ansi(text).map(({ text, classes, color }) =>
        classes.length === 0 && !color ? (
          text
        ) : (
          <span class={classes.join(' ')} style={color ? { color } : undefined}>
            {text}
          </span>
        ),
      )}
    </bdi>
  );
}

const MARKS = { pass: '✓', ok: '✓', warn: '!', fail: '✕', error: '✕', unreachable: '✕', unknown: '?' } as const;

/** A state as colour, sign and word: none of them alone. */
export function State({ of, label }: { of: keyof typeof MARKS; label?: string }) {
  return (
    <span class={`state ${of}`}>
      <i aria-hidden="true">{MARKS[of]}</i>
      {label ?? of}
    </span>
  );
}

/** Attributes as a table, in the order of their names. */
export function Attributes({
  of,
  onPick,
  pickTitle,
}: {
  of: JsonAttributes;
  onPick?: (key: string, value: string) => void;
  pickTitle?: string;
}) {
  const entries = Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return <p class="quiet">none</p>;
  return (
    <dl class="attributes">
      {entries.map(([key, value]) => (
        <div key={key}>
          <dt>
            <Name text={key} />
          </dt>
          <dd>
            <Value value={value} />
            {onPick && typeof value !== 'object' && (
              <button
                type="button"
                class="pick"
                title={pickTitle}
                aria-label={`${pickTitle}: ${plain(key)}`}
                onClick={() => onPick(key, String(value))}
              >
                ⌕
              </button>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ value }: { value: JsonValue }) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, typeof value === 'object' ? 1 : 0);
  const kind = value === null ? 'null' : typeof value;
  return (
    <span class={`value ${kind}`}>
      <Ansi text={text} />
    </span>
  );
}

/** A button that copies, and says so. */
export function Copy({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <button
      type="button"
      class="copy"
      aria-label={label}
      title={label}
      onClick={() =>
        navigator.clipboard?.writeText(text).then(
          () => setDone(true),
          () => {},
        )
      }
    >
      {done ? (
        '✓'
      ) : (
        <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
          <rect x="0.75" y="3.25" width="7.5" height="8" rx="1.5" />
          <path d="M4 1.75 A1 1 0 0 1 5 0.75 H10.25 A1 1 0 0 1 11.25 1.75 V7.5 A1 1 0 0 1 10.25 8.5" />
        </svg>
      )}
    </button>
  );
}

/** Stands where there is nothing yet, and says what would bring something. */
export function Empty({
  title,
  only,
  children,
}: {
  title: string /** Whether the view has no other heading. */;
  only?: boolean;
  children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      {only ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children}
    </div>
  );
}

export function Failed({ error }: { error: Error }) {
  return (
    <p class="failed" role="alert">
      <State of="error" label="Not loaded" /> <Name text={error.message} title={false} />
    </p>
  );
}

/** Link to a trace. */
export function short(id: string): string {
  return id.slice(0, 8);
}
