/**
 * Colours of services: eight hues that stay apart for colour-blind readers (after Okabe and Ito), given in the order in
 * which services are first seen, so that a small system never has two alike, and kept, so that a service looks the same
 * tomorrow. Defined in css/base.css as `--s0` … `--s7`.
 */
const COUNT = 8;
const KEY = 'o11y-kit-services';
/** Names that are kept; tests and reviews make services without end. */
const MOST = 64;
const given = new Map(saved().map((service, at) => [service, at % COUNT]));

/** Number of a service's colour, the same wherever it is shown. */
export function hue(service: string): number {
  let number = given.get(service);
  if (number === undefined) {
    given.set(service, (number = given.size % COUNT));
    save();
  }
  return number;
}

export function colour(service: string): string {
  return `var(--s${hue(service)})`;
}

/** What a colour of the style sheet is now, for canvases. */
export function resolved(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function saved(): string[] {
  try {
    const names: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string').slice(0, MOST) : [];
  } catch {
    return []; // Storage is refused in some private windows.
  }
}

function save(): void {
  try {
    localStorage.setItem(KEY, JSON.stringify([...given.keys()].slice(0, MOST)));
  } catch {
    // The colours hold until the page is left.
  }
}
