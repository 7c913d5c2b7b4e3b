/**
 * The candidate that someone has most likely meant: at most two slips away (a letter wrong, missing, too many, or two
 * swapped), three in a long name.
 */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const most = name.length > 12 ? 3 : 2;
  let best: string | undefined;
  let least = most + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > most) continue;
    const slips = distance(name, candidate);
    if (slips < least) {
      best = candidate;
      least = slips;
    }
  }
  return best;
}

/** Optimal string alignment: Levenshtein with swapped neighbours as one slip. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}
