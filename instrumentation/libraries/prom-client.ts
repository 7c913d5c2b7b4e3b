import { defineLibrary, isExports } from './define.ts';

/** The app's own copy of prom-client: its registries are merged into the page that is scraped. */
export const promClient = defineLibrary<object>({
  name: 'prom-client',
  gives: 'Metrics of the app, of all its registries and copies, on the page of the kit.',
  packages: { 'prom-client': '>=13.0.0 <16.0.0' },
  accepts: (exports): exports is object =>
    isExports(exports) && typeof exports.Registry === 'function' && isExports(exports.register),
  wire(exports, kit) {
    kit.metrics.adopt(exports);
    return undefined;
  },
});
