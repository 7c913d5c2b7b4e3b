import { type Style, safe } from '../../viewer/terminal/text.ts';
import { type Finding, TOPICS } from './finding.ts';

const MARKS = { ok: '✓', note: '·', problem: '✗' } as const;
const MOST_SUBJECT = 34;
/** Characters of a line. */
const LINE = 120;

/** The report for people: by topic, aligned, each problem with what to do. */
export function report(findings: readonly Finding[], paint: Style): string[] {
  const width = Math.min(MOST_SUBJECT, Math.max(0, ...findings.map(({ subject }) => safe(subject).length)));
  const lines: string[] = [];
  for (const topic of TOPICS) {
    const own = findings.filter((finding) => finding.topic === topic);
    if (own.length > 0) lines.push(paint.bold(topic), ...own.flatMap((finding) => describe(finding, width, paint)), '');
  }
  const problems = findings.filter(({ level }) => level === 'problem').length;
  lines.push(
    problems === 0 ? paint.green('Nothing is wrong.') : paint.red(`${problems} ${problems === 1 ? 'problem' : 'problems'}.`),
  );
  return lines;
}

function describe({ level, subject, text, todo }: Finding, width: number, paint: Style): string[] {
  const colour = { ok: paint.green, note: paint.dim, problem: paint.red }[level];
  const name = safe(subject);
  const indent = ' '.repeat(width + 6);
  const first = `  ${colour(MARKS[level])} ${name.padEnd(width)}`;
  const said = wrap(safe(text), LINE - indent.length);
  const lines = name.length > width ? [first, ...said.map((line) => indent + line)] : join(`${first}  `, indent, said);
  if (todo !== undefined) lines.push(...join(`${indent}→ `, `${indent}  `, wrap(safe(todo), LINE - indent.length - 2)));
  return lines;
}

function join(first: string, others: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => (index === 0 ? first : others) + line);
}

/** Breaks at blanks; a word that is longer than a line stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
