/// <reference path="./prom-client.d.ts" />
// The kit's own copy of prom-client. Its index also loads the push gateway (node:https, node:zlib), the cluster support
// and the quantile digest, none of which the kit uses: the four classes are taken from their own files instead.
import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import Histogram from 'prom-client/lib/histogram.js';
import Registry from 'prom-client/lib/registry.js';

export { Counter, Gauge, Histogram, Registry };
