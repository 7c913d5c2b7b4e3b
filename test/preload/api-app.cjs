// Makes a span by hand through the copy of @opentelemetry/api that API names, inside a request.
const http = require('node:http');
const { trace, context, propagation, metrics } = require(process.env.API);

const server = http.createServer((_, res) => {
  const active = trace.getActiveSpan()?.spanContext().traceId ?? 'none';
  trace.getTracer('manual', '2').startActiveSpan('by hand', { attributes: { a: 1 } }, (span) => {
    const inside = trace.getActiveSpan() === span;
    setTimeout(
      context.bind(context.active(), () => {
        const kept = trace.getActiveSpan() === span;
        const user = propagation.getBaggage(context.active())?.getEntry('user')?.value ?? 'none';
        metrics.getMeter('manual').createCounter('shop.sold').add(2);
        const carrier = {};
        propagation.inject(context.active(), carrier);
        span.addEvent('done').end();
        res.end(JSON.stringify({ active, inside, kept, user, carrier }));
      }),
      1,
    );
  });
});
server.listen(0, '127.0.0.1', () => console.log(`LISTEN ${server.address().port}`));
