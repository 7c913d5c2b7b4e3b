// Loaded into the viewer's process: collects garbage when asked, and says what is left.
process.on('message', () => {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send({ heldBytes: heapUsed + external, rssBytes: rss });
});
// Being listened to is no reason to live.
process.channel.unref();
