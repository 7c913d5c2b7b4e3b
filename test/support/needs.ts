import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs that a test may need, and how a reader of the skip list gets them. */
const PROGRAMS = {
  prometheus: 'apt-get install prometheus',
  promtool: 'apt-get install prometheus',
  chromium: 'apt-get install chromium',
  npm: 'comes with Node.js',
  git: 'apt-get install git',
  script: 'apt-get install bsdutils',
  wget: 'apt-get install wget',
  amtool: 'apt-get install prometheus-alertmanager',
  loki: 'no package; https://github.com/grafana/loki/releases',
  tempo: 'no package; https://github.com/grafana/tempo/releases',
  'docker-compose': 'apt-get install docker-compose-plugin, from Docker',
} as const;

/** What a test needs: a program on PATH, or a Docker daemon that answers. */
export type Need = keyof typeof PROGRAMS | 'docker';

/**
 * For a test's `skip` option: false if everything is there, else a reason that starts with `needs <what>:`. The test
 * runner lists these reasons at its end, and does not accept them in CI.
 *
 * @example test('scraped by Prometheus', { skip: needs('prometheus') }, async () => { … });
 */
export function needs(...wanted: Need[]): string | false {
  for (const need of wanted) {
    if (need === 'docker') {
      const { status } = spawnSync('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 10_000, stdio: 'ignore' });
      if (status !== 0) return 'needs docker: no daemon answers `docker info`';
    } else if (!findProgram(need)) {
      return `needs ${need}: not on PATH (Debian: ${PROGRAMS[need]})`;
    }
  }
  return false;
}

/** Absolute path of a program of the machine: on PATH, but for `node_modules/.bin`, which npm puts in front of it. */
export function findProgram(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && !/[\\/]node_modules[\\/]\.bin$/.test(folder))
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
