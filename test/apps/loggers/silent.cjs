'use strict';

require('./server.cjs')(() => {});
