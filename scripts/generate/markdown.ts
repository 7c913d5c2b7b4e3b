/** A page's text, under a first line that keeps people from editing it by hand. */
export function page(source: string, ...blocks: readonly string[]): string {
  return `${[`<!-- Generated from ${source} by \`npm run generate\`; edits here are lost. -->`, ...blocks].join('\n\n')}\n`;
}

/** A table; cells are Markdown in which `|` and line ends are made harmless. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|');
}

/** As it is to be typed. */
export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}
