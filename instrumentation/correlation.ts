import { uuidv7 } from './ids.ts';

const ALLOWED = /^[A-Za-z0-9._:-]{1,128}$/;

/** Whether a value may serve as a correlation id: 1 to 128 characters of `A-Z a-z 0-9 . _ : -`. */
export function isCorrelationId(value: unknown): value is string {
  return typeof value === 'string' && ALLOWED.test(value);
}

/** The inbound id where it is allowed, otherwise a new UUIDv7. */
export function acceptCorrelationId(inbound: unknown): string {
  return isCorrelationId(inbound) ? inbound : uuidv7();
}
