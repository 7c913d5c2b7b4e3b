// An app that ships its pino lines to OpenTelemetry itself, as the transport's README says.
import pino from 'pino';
import serve from './server.cjs';

const shipping = pino({
  transport: {
    target: 'pino-opentelemetry-transport',
    options: {
      loggerName: 'the app',
      logRecordProcessorOptions: { recordProcessorType: 'simple', exporterOptions: { protocol: 'http/json' } },
    },
  },
});
const plain = pino();

serve(() => {
  shipping.info({ way: 'shipping' }, 'shipped by the app');
  plain.info({ way: 'plain' }, 'shipped by the kit');
});
