/**
 * Units and colours in one place, by the names that Grafana's list of units has.
 *
 * @see https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts
 */
import {
  BytesIEC,
  DateTimeFromNow,
  Dollars,
  EventsPerSecond,
  MessagesPerSecond,
  NoUnit,
  OpsPerSecond,
  PercentUnit,
  RequestsPerSecond,
  Seconds,
  Short,
} from '@grafana/grafana-foundation-sdk/units';
import type { Step } from './types.ts';

export const UNIT = {
  seconds: Seconds,
  bytes: BytesIEC,
  /** 0 to 1, shown as 0 % to 100 %. */
  share: PercentUnit,
  requests: RequestsPerSecond,
  operations: OpsPerSecond,
  events: EventsPerSecond,
  messages: MessagesPerSecond,
  dollars: Dollars,
  count: Short,
  none: NoUnit,
  /** A point in time, as how long it is ago. In milliseconds. */
  ago: DateTimeFromNow,
} as const;

export type Unit = (typeof UNIT)[keyof typeof UNIT];

export const COLOUR = {
  good: 'green',
  warn: 'orange',
  bad: 'red',
  plain: 'text',
  calm: 'blue',
  muted: '#8e8e8e',
} as const;

/** Good below `warn`, bad from `bad` on. */
export function rising(warn: number, bad: number): readonly Step[] {
  return [
    [null, COLOUR.good],
    [warn, COLOUR.warn],
    [bad, COLOUR.bad],
  ];
}

/** Bad below `warn`, good from `good` on. */
export function falling(warn: number, good: number): readonly Step[] {
  return [
    [null, COLOUR.bad],
    [warn, COLOUR.warn],
    [good, COLOUR.good],
  ];
}

/** Bad as soon as there is one. */
export const NONE_IS_GOOD: readonly Step[] = [
  [null, COLOUR.good],
  [1e-9, COLOUR.bad],
];
