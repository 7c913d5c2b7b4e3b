/** Charts of what a service measures besides its requests. */
import { useState } from 'preact/hooks';
import type { MetricGroup, MetricPanel, MetricView, ServiceView } from '../../api-types.ts';
import { address, useData } from '../api.ts';
import { bytes, duration, percent, quantity } from '../format.ts';
import { bridged, firstKnown } from '../known.ts';
import { Failed, Name, State } from '../ui/basic.tsx';
import { Chart, lastOf } from '../ui/chart.tsx';

const MOST_LINES = 8;

export function Panels({ groups }: { groups: MetricGroup[] }) {
  return (
    <>
      {groups.map((group) => (
        <section key={group.id} aria-label={group.title}>
          <h2>{group.title}</h2>
          <div class="charts">
            {group.panels.map((panel) => (
              <Panel key={panel.title} of={panel} />
            ))}
          </div>
        </section>
      ))}
    </>
  );
}

function Panel({ of }: { of: MetricPanel }) {
  const start = firstKnown(of.lines.map(({ values }) => values));
  // Counters that never moved say together what each would say in a line of its own.
  const telling = of.unit === 'per second' ? of.lines.filter(({ values }) => values.some((value) => value)) : of.lines;
  const shown = telling.slice(0, MOST_LINES);
  return (
    <section>
      <h3>
        {of.title} {of.unit === 'per second' && <small>per second</small>}
      </h3>
      {of.unit === 'state' ? (
        <States of={of} />
      ) : shown.length === 0 ? (
        <p class="quiet">None in this time.</p>
      ) : (
        <Chart
          label={of.title}
          height={110}
          from={of.from + start * of.stepMs}
          stepMs={of.stepMs}
          format={FORMATS[of.unit]}
          lines={shown.map((line, at) => ({
            label: line.label || of.title,
            values: bridged(line.values.slice(start)),
            colour: `--s${at}`,
            area: shown.length === 1,
          }))}
        />
      )}
      {telling.length > shown.length && of.unit !== 'state' && <p class="quiet">{telling.length - shown.length} more lines</p>}
    </section>
  );
}

/** A state is read as a word, not as a line that goes to 1. */
function States({ of }: { of: MetricPanel }) {
  const meaning = (value: number | null) => of.states?.find((state) => state.value === value);
  return (
    <ul class="states">
      {of.lines.map((line) => {
        const state = meaning(line.last ?? lastOf(line.values));
        const level = state === undefined ? 'unknown' : ({ good: 'ok', warn: 'warn', bad: 'error' } as const)[state.level];
        return (
          <li key={line.label}>
            <Name text={line.label} />
            <State of={level} label={state?.text ?? 'unknown'} />
            <span class="strip" aria-hidden="true">
              {line.values.map((value) => (
                <i class={meaning(value)?.level ?? ''} />
              ))}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

const FORMATS: Record<MetricPanel['unit'], (value: number | null) => string> = {
  seconds: (value) => duration(value === null ? null : value * 1000),
  bytes,
  ratio: percent,
  'per second': quantity,
  count: quantity,
  state: quantity,
  dollars: (value) => (value === null ? quantity(null) : `$${quantity(value)}`),
};

/** Every series by name, drawn when asked for. */
export function Metrics({ service, metrics, minutes }: { service: string; metrics: ServiceView['metrics']; minutes: number }) {
  const [wanted, setWanted] = useState('');
  const [open, setOpen] = useState('');
  if (metrics.length === 0) return null;
  const shown = metrics.filter(({ name, help }) => `${name} ${help}`.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <details class="block">
      <summary>All metrics ({metrics.length})</summary>
      <input
        type="search"
        placeholder="Find a metric"
        aria-label="Find a metric"
        value={wanted}
        onInput={(event) => setWanted(event.currentTarget.value)}
      />
      <ul class="metrics">
        {shown.slice(0, 200).map((metric) => (
          <li key={metric.name}>
            <button
              type="button"
              class="plain"
              aria-expanded={open === metric.name}
              onClick={() => setOpen(open === metric.name ? '' : metric.name)}
            >
              <code>{metric.name}</code> <small class="quiet">{metric.type}</small> <span class="quiet">{metric.help}</span>
            </button>
            {open === metric.name && <Series service={service} name={metric.name} minutes={minutes} />}
          </li>
        ))}
      </ul>
      {shown.length > 200 && <p class="quiet">{shown.length - 200} more: type to narrow down.</p>}
    </details>
  );
}

function Series({ service, name, minutes }: { service: string; name: string; minutes: number }) {
  const { data, error } = useData<MetricView>(address('series', { service, name, minutes }), {
    when: ({ metrics }) => metrics,
    every: 2000,
  });
  if (data === null) return error ? <Failed error={error} /> : <p class="quiet">Loading …</p>;
  const shown = data.series.slice(0, MOST_LINES);
  const start = firstKnown(shown.map(({ values }) => values));
  const unit = name.includes('_seconds') && !data.perSecond ? 'seconds' : name.includes('_bytes') ? 'bytes' : 'count';
  return (
    <>
      <Chart
        label={name}
        height={160}
        from={data.from + start * data.stepMs}
        stepMs={data.stepMs}
        format={FORMATS[unit]}
        lines={shown.map(({ labels, values }, at) => ({
          label: labelText(labels) || name,
          values: bridged(values.slice(start)),
          colour: `--s${at}`,
        }))}
      />
      <p class="quiet">
        {data.perSecond && 'Change a second. '}
        {data.series.length + data.more > shown.length && `${data.series.length + data.more - shown.length} more series.`}
      </p>
    </>
  );
}

function labelText(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
