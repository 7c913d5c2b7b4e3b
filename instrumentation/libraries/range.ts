/**
 * Whether a version lies in a range such as `>=4.0.0 <6.0.0 || >=7.1.0`: comparators `>=`, `>`, `<`, `<=`, `=` and
 * `^` separated by blanks, alternatives by `||`. A pre-release counts as its release, so that `5.0.0-beta.1` is wired like
 * 5.0.0. That is all the grammar that the table of libraries needs.
 */
export function inRange(version: string, range: string): boolean {
  const wanted = parse(version);
  return (
    wanted !== undefined &&
    range.split('||').some((alternative) =>
      alternative
        .trim()
        .split(/\s+/)
        .every((comparator) => holds(wanted, comparator)),
    )
  );
}

type Version = readonly [number, number, number];

function parse(text: string): Version | undefined {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(text);
  return match ? [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)] : undefined;
}

function holds(version: Version, comparator: string): boolean {
  const [, operator, bound] = /^(>=|<=|>|<|=|\^)(.+)$/.exec(comparator) ?? [];
  const limit = bound === undefined ? undefined : parse(bound);
  if (limit === undefined) throw new Error(`"${comparator}" is no comparator of a version range`);
  const order = version[0] - limit[0] || version[1] - limit[1] || version[2] - limit[2];
  switch (operator) {
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    case '^': {
      // Up to the next change of the first part that is not zero.
      const first = limit.findIndex((part) => part > 0);
      return order >= 0 && limit.every((part, at) => (first >= 0 && at > first) || part === version[at]);
    }
    default:
      return order === 0;
  }
}
