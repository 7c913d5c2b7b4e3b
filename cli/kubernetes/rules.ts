import { Trouble } from '../command.ts';
import { head, indent, type Manifest, nameOf, type Settings } from './manifest.ts';

const BARE_NUMBER = /(\bexpr:[ \t]+)([-+]?[.\d][-+.\deE]*)(?=[ \t]*(?:[,}]|#|$))/gm;

/**
 * A rule file as a PrometheusRule: the groups as they stand, comments included, only further to the right. An expression
 * that is a bare number is quoted: Prometheus takes it, Kubernetes' API server takes no fraction there.
 *
 * @param file its name
 * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule
 */
export function prometheusRule(file: string, text: string, settings: Settings): Manifest {
  const groups = text
    .replace(/\r\n/g, '\n')
    .replace(/^---\n/m, '')
    .trimEnd()
    .replace(BARE_NUMBER, '$1"$2"');
  const [first] = groups.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (first !== 'groups:') throw new Trouble(`${file}: a Prometheus rule file begins with "groups:", this one with "${first}"`);
  const name = nameOf(file);
  return {
    file: `rules-${file.replace(/\.[^.]*$/, '')}.yaml`,
    text: `${head('PrometheusRule', 'monitoring.coreos.com/v1', name, settings, { role: 'alert-rules' })}\nspec:\n${indent(groups, 2)}\n`,
  };
}
