/**
 * Text of others, made safe to look at. It reaches the page as text nodes only; this module takes care of what a text
 * node can still do: hide, reorder or colour.
 */

/** A stretch of text in one style; `classes` are names of css/logs.css. */
export interface Styled {
  text: string;
  classes: string[];
  /** `#rrggbb` of a 24-bit or 256-colour sequence. */
  color?: string;
}

/** Controls, soft hyphens, zero-width and direction-changing characters: what cannot be seen and changes what is read. */
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Escape sequences of terminals: CSI, OSC up to its end, and the two-byte ones. */
const ESCAPE =
  /\u001b\[([0-9:;<=>?]*)[ -/]*([@-~])|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[PX^_][^\u001b]*(?:\u001b\\)?|\u001b[ -/]*[0-~]/g;

/** Shows hidden characters as pictures (`␀`) or code points (`⟨202E⟩`); line ends and tabs stay. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (char) => {
    const code = char.charCodeAt(0);
    if (code === 0x0d) return '';
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    if (code === 0x7f) return '\u2421';
    return `⟨${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

/** Splits a line at its colour sequences; all other sequences are left out. Never fails, whatever the text. */
export function ansi(text: string): Styled[] {
  if (!text.includes('\u001b') && !text.includes('\u009d')) return [{ text: visible(text), classes: [] }];
  const pieces: Styled[] = [];
  const style = new Style();
  let from = 0;
  for (const match of text.matchAll(ESCAPE)) {
    push(pieces, text.slice(from, match.index), style);
    from = match.index + match[0].length;
    if (match[2] === 'm') style.apply(match[1]);
  }
  push(pieces, text.slice(from), style);
  return pieces.length > 0 ? pieces : [{ text: '', classes: [] }];
}

/** The text without sequences, for titles and names. */
export function plain(text: string): string {
  return visible(text.replace(ESCAPE, ''));
}

function push(pieces: Styled[], text: string, style: Style): void {
  if (text !== '') pieces.push({ text: visible(text), ...style.now() });
}

/** State of "select graphic rendition" (ECMA-48 8.3.117). */
class Style {
  #flags = new Set<string>();
  #front = '';
  #exact = '';

  now(): Omit<Styled, 'text'> {
    const classes = [...this.#flags];
    if (this.#front !== '') classes.push(this.#front);
    return this.#exact === '' ? { classes } : { classes, color: this.#exact };
  }

  apply(parameters: string): void {
    const codes = parameters.split(/[;:]/).map((code) => (code === '' ? 0 : Number(code)));
    for (let n = 0; n < codes.length; n++) {
      const code = codes[n];
      if (code === 0) this.#reset();
      else if (code in FLAGS) this.#flags.add(FLAGS[code]);
      else if (code === 22) this.#drop('a-bold', 'a-dim');
      else if (code === 23) this.#drop('a-italic');
      else if (code === 24) this.#drop('a-underline');
      else if (code === 29) this.#drop('a-strike');
      else if (code >= 30 && code <= 37) this.#color(`a-${code - 30}`);
      else if (code >= 90 && code <= 97) this.#color(`a-${code - 90 + 8}`);
      else if (code === 39) this.#color('');
      else if (code === 38 || code === 48) n += this.#extended(codes.slice(n + 1), code === 38);
    }
  }

  /** `38;5;n` and `38;2;r;g;b`; a background (48) is read past. @returns how many codes were used */
  #extended([kind, ...rest]: number[], front: boolean): number {
    if (kind === 5) {
      if (front && rest[0] >= 0 && rest[0] < 16) this.#color(`a-${rest[0]}`);
      else if (front && rest[0] < 256) this.#color('', cube(rest[0]));
      return 2;
    }
    if (kind === 2) {
      if (front && rest.length >= 3) this.#color('', hex(rest[0], rest[1], rest[2]));
      return 4;
    }
    return 0;
  }

  #color(name: string, exact = ''): void {
    this.#front = name;
    this.#exact = exact;
  }

  #drop(...flags: string[]): void {
    for (const flag of flags) this.#flags.delete(flag);
  }

  #reset(): void {
    this.#flags.clear();
    this.#color('');
  }
}

const FLAGS: Record<number, string> = { 1: 'a-bold', 2: 'a-dim', 3: 'a-italic', 4: 'a-underline', 9: 'a-strike' };

/** Colour 16–255 of the 256-colour palette. */
function cube(index: number): string {
  if (index >= 232) return hex(8 + (index - 232) * 10, 8 + (index - 232) * 10, 8 + (index - 232) * 10);
  const step = (value: number) => (value === 0 ? 0 : 55 + value * 40);
  const place = index - 16;
  return hex(step(Math.floor(place / 36)), step(Math.floor(place / 6) % 6), step(place % 6));
}

function hex(...parts: number[]): string {
  return `#${parts
    .map((part) =>
      Math.max(0, Math.min(255, part | 0))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}
