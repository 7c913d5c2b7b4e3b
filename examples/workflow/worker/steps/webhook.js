import { failedAnswer } from '../errors.js';

export async function callWebhook({ url, body = {}, runId, index, signal }) {
  const response = await fetch(url, {
    method: 'POST',
    // The other side recognises a repetition by it.
    headers: { 'content-type': 'application/json', 'idempotency-key': `${runId}-${index}` },
    body: JSON.stringify(body),
    signal,
  });
  await response.body?.cancel();
  if (!response.ok) throw failedAnswer('the webhook', response.status);
  return { status: response.status };
}
