/**
 * Colours of services: eight hues that stay apart for colour-blind readers (after Okabe and Ito), given in the order in
 * which services are first seen, so that a small system never has two alike. Defined in css/base.css as `--s0` … `--s7`.
 */
const COUNT = 8;
const given = new Map<string, number>();

/** Number of a service's colour, the same wherever it is shown. */
export function hue(service: string): number {
  let number = given.get(service);
  if (number === undefined) given.set(service, (number = given.size % COUNT));
  return number;
}

export function colour(service: string): string {
  return `var(--s${hue(service)})`;
}

/** What a colour of the style sheet is now, for canvases. */
export function resolved(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
