import type { Attributes } from '@opentelemetry/api';
import type { MetricDefinition } from '../names.ts';
import { RENAMED_LABELS } from './otel-known.ts';
import { labelName } from './otel-names.ts';
import type { Labels } from './types.ts';

const MOST_NAMES = 1000;
const NONE: Labels = {};

// Names come from code, but nothing stops an app from making them of its data.
const names = new Map<string, string>();

function nameOf(key: string): string {
  let name = names.get(key);
  if (name === undefined) {
    name = labelName(key);
    if (names.size >= MOST_NAMES) names.clear();
    names.set(key, name);
  }
  return name;
}

/** Attributes as labels; of an instrument that the contract knows, only the labels that it has there. */
export function toLabels(attributes: Attributes | undefined, known: MetricDefinition | undefined): Labels {
  if (attributes === undefined || attributes === null) return NONE;
  const labels: Record<string, string> = Object.create(null);
  for (const key of Object.keys(attributes)) {
    const value = attributes[key];
    if (value === undefined || value === null) continue;
    let name = nameOf(key);
    if (known !== undefined && !known.labels.includes(name)) name = RENAMED_LABELS[name] ?? name;
    if (known !== undefined && !known.labels.includes(name)) continue;
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    // Two keys that become one name (`a.b`, `a_b`) share the label, as OpenTelemetry says; a renamed one steps back.
    if (labels[name] === undefined) labels[name] = text;
    else if (known === undefined) labels[name] += `;${text}`;
  }
  return labels;
}
