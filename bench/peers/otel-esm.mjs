// What OpenTelemetry's documentation asks of ESM apps, without the flag that newer versions of Node warn of.
import { register } from 'node:module';

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);
