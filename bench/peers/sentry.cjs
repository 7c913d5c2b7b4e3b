'use strict';

// As Sentry's documentation sets it up, with tracing and logs on.
const Sentry = require('@sentry/node');

Sentry.init({
  dsn: process.env.SENTRY_DSN,
  tracesSampleRate: 1,
  enableLogs: true,
  integrations: Sentry.pinoIntegration ? [Sentry.pinoIntegration()] : [],
});
