import { alerts } from './alerts.ts';
import { configuration } from './configuration.ts';
import { dashboards } from './dashboards.ts';
import { errors } from './errors.ts';
import { libraries } from './libraries.ts';
import { metrics } from './metrics.ts';

/** Pages of docs/ that `npm run generate` writes: file name to the function that makes its text. */
export const PAGES: Readonly<Record<string, () => string>> = {
  'configuration.md': configuration,
  'metrics.md': metrics,
  'libraries.md': libraries,
  'errors.md': errors,
  'dashboards.md': dashboards,
  'alerts.md': alerts,
};
