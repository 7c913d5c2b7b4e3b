export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of one name on a page in Prometheus' text format. */
export function parseSamples(page: string, name: string): Sample[] {
  return page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => {
      const [, labels = '', value] = /^[^{ ]+(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
      return {
        labels: Object.fromEntries(pairs.map(([, key, text]) => [key, text.replace(/\\(.)/g, '$1')])),
        value: Number(value),
      };
    });
}
