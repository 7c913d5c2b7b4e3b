const http = require('node:http');

/** What a leak would make larger. */
function inspect() {
  globalThis.gc?.();
  return {
    heap: process.memoryUsage().heapUsed,
    resources: process.getActiveResourcesInfo().length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    official: Object.keys(require.cache).some((file) => file.endsWith('instrumentations.cjs')),
  };
}

/**
 * Serves the actions of an app, each under a path of its name: its result as JSON, or 500 and the error's message. Without
 * a framework and without a word of telemetry.
 */
module.exports = async function serve(app) {
  const actions = { inspect, ...(await app) };
  const server = http.createServer(async (req, res) => {
    const { pathname, searchParams } = new URL(req.url, 'http://app');
    const action = actions[pathname.slice(1)];
    res.setHeader('content-type', 'application/json');
    try {
      if (action === undefined) res.statusCode = 404;
      res.end(JSON.stringify((await action?.(Object.fromEntries(searchParams))) ?? null));
    } catch (error) {
      res.statusCode = 500;
      res.end(JSON.stringify({ message: error.message }));
    }
  });
  server.listen(0, '127.0.0.1', () => console.log(`LISTEN ${server.address().port}`));
  process.once('SIGTERM', () => {
    server.close();
    server.closeIdleConnections();
    actions.close?.();
  });
};
