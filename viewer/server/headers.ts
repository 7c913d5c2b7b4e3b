import type { ServerResponse } from 'node:http';

/** Says on every answer that this is the viewer, and which: others recognise it by that. */
export const IDENTITY_HEADER = 'o11y-kit-viewer';

/** The page loads its own script and style, and talks to its own server; nothing else, and nothing inline. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function setHeaders(res: ServerResponse, version: string): void {
  res.setHeader(IDENTITY_HEADER, version);
  res.setHeader('content-security-policy', POLICY);
  res.setHeader('x-content-type-options', 'nosniff');
  res.setHeader('referrer-policy', 'no-referrer');
  res.setHeader('cross-origin-opener-policy', 'same-origin');
  res.setHeader('cross-origin-resource-policy', 'same-origin');
}
