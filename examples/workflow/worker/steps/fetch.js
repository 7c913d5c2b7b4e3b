import { failedAnswer } from '../errors.js';

const MOST_BYTES = 1_000_000;

export async function download({ url, signal }) {
  const response = await fetch(url, { signal });
  if (!response.ok) {
    await response.body?.cancel();
    throw failedAnswer('the server', response.status);
  }
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`more than ${MOST_BYTES} bytes`);
  }
  return { bytes };
}
