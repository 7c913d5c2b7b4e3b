import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';

/** A colour from a value on; `null` is the colour below the first value. */
export type Step = readonly [value: number | null, colour: string];

/** A link of a field or a panel. Grafana fills in `${…}`. */
export interface DataLink {
  readonly title: string;
  readonly url: string;
  readonly targetBlank?: boolean;
}

/** What every panel says of itself. The description that Grafana shows is made of the two texts. */
export interface Described {
  readonly title: string;
  /** How to read it. Markdown. */
  readonly read: string;
  /** What to do when it looks bad. Markdown. */
  readonly act: string;
  /** Width of 24, and height in units of 30 pixels. */
  readonly w?: number;
  readonly h?: number;
  readonly links?: readonly DataLink[];
}

/** A panel with its size; where it goes is decided by {@link arrange}. */
export interface Sized {
  readonly panel: Panel;
  readonly w: number;
  readonly h: number;
}

/** A row with its panels; they flow from left to right. Without a title there is no row line above them. */
export interface Section {
  readonly title?: string;
  readonly collapsed?: boolean;
  readonly panels: readonly Sized[];
}
