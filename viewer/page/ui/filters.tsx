/** A row of search fields whose content stands in the address, so that a search can be linked to and gone back from. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Overview } from '../../api-types.ts';
import { address, useData } from '../api.ts';
import { useKeys } from '../keys.ts';

export type Field =
  | { name: string; label: string; kind: 'text' | 'number'; hint: string; class?: string; main?: boolean; rare?: boolean }
  | { name: string; label: string; kind: 'select'; options: [value: string, label: string][]; class?: string; rare?: boolean };

const TYPING = 250;

export function Filters({
  fields,
  query,
  onChange,
}: {
  fields: Field[];
  query: URLSearchParams;
  onChange(query: Record<string, string>): void;
}) {
  const form = useRef<HTMLFormElement>(null);
  const timer = useRef<number>(undefined);
  useKeys('Search', [
    {
      keys: ['/'],
      does: 'go to the search field',
      run: () => form.current?.querySelector<HTMLInputElement>('[data-main]')?.focus(),
    },
    { keys: ['x'], does: 'clear the search', run: () => onChange({}) },
  ]);
  useEffect(() => () => window.clearTimeout(timer.current), []);

  function collect(): void {
    window.clearTimeout(timer.current);
    const entries = [...new FormData(form.current!)].map(([name, value]) => [name, String(value).trim()]);
    onChange(Object.fromEntries(entries.filter(([, value]) => value !== '')));
  }
  function typed(): void {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(collect, TYPING);
  }
  const [all, setAll] = useState(false);
  const active = fields.some(({ name }) => query.has(name));
  return (
    <search>
      <form
        ref={form}
        class={all ? 'filters all' : 'filters'}
        onSubmit={(event) => {
          event.preventDefault();
          collect();
        }}
      >
        {fields.map((field) => (
          <div key={field.name} class={`field ${field.class ?? ''}${field.rare && !query.has(field.name) ? ' rare' : ''}`}>
            <label for={`field-${field.name}`}>{field.label}</label>
            {field.kind === 'select' ? (
              <select id={`field-${field.name}`} name={field.name} value={query.get(field.name) ?? ''} onChange={collect}>
                {field.options.map(([value, label]) => (
                  <option key={value} value={value} selected={value === (query.get(field.name) ?? '')}>
                    {label}
                  </option>
                ))}
              </select>
            ) : (
              <Input field={field} value={query.get(field.name) ?? ''} onInput={typed} />
            )}
          </div>
        ))}
        <button type="button" class="quiet-button more" aria-pressed={all} onClick={() => setAll(!all)}>
          More fields
        </button>
        {active && (
          <button type="button" class="quiet-button" onClick={() => onChange({})}>
            Clear
          </button>
        )}
      </form>
    </search>
  );
}

/** Keeps what is typed while the address follows. */
function Input({ field, value, onInput }: { field: Field & { hint: string; main?: boolean }; value: string; onInput(): void }) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (document.activeElement !== input.current) input.current!.value = value;
  }, [value]);
  return (
    <input
      ref={input}
      id={`field-${field.name}`}
      name={field.name}
      type="search"
      inputMode={field.kind === 'number' ? 'decimal' : undefined}
      pattern={field.kind === 'number' ? '[0-9]*[.]?[0-9]*' : undefined}
      defaultValue={value}
      placeholder={field.hint}
      autocomplete="off"
      spellcheck={false}
      data-main={field.main || undefined}
      onInput={onInput}
    />
  );
}

/** Names of services for a field, with one that is asked for but not known. */
export function useServiceOptions(wanted: string | null): [string, string][] {
  const { data } = useData<Overview>(address('overview', { minutes: 30 }), { when: () => true, every: 5000 });
  const names = new Set(data?.services.map(({ service }) => service));
  if (wanted) names.add(wanted);
  return [['', 'All services'], ...[...names].sort().map((name): [string, string] => [name, name])];
}

/** What must be asked: `attr` is a list, everything else as it stands. */
export function asQuery(query: URLSearchParams, lists: string[]): Record<string, string | string[]> {
  return Object.fromEntries(
    [...query].map(([name, value]) => [name, lists.includes(name) ? value.split(/\s+(?=[^\s=]+=)/) : value]),
  );
}
