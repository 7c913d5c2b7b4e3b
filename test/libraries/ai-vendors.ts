import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A server that answers as the vendors' references document it, streams included. */
export interface Vendors extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Paths and `traceparent` headers of what was asked, in order. */
  readonly asked: readonly { readonly path: string; readonly traceparent: string | undefined; readonly body: any }[];
}

const WORDS = ['Hello', ', ', 'world'];

/** Models whose name begins with `failing-` are refused with this status. */
const FAILING = /^failing-(\d{3})/;

export async function startVendors(): Promise<Vendors> {
  const asked: { path: string; traceparent: string | undefined; body: any }[] = [];
  const server = createServer(async (req, res) => {
    const body = JSON.parse(await text(req));
    const path = (req.url ?? '').split('?')[0];
    asked.push({ path, traceparent: req.headers.traceparent as string | undefined, body });
    const status = FAILING.exec(body.model)?.[1];
    if (status !== undefined) refuse(path, Number(status), res);
    else await answer(path, body, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function refuse(path: string, status: number, res: ServerResponse): void {
  const body = path.endsWith('/messages')
    ? { type: 'error', error: { type: 'rate_limit_error', message: 'slow down' } }
    : { error: { message: 'slow down', type: 'requests', param: null, code: 'rate_limit_exceeded' } };
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function answer(path: string, body: any, res: ServerResponse): Promise<void> {
  if (body.stream === true) {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' });
    for (const event of eventsOf(path, body)) {
      if (res.destroyed) return;
      res.write(event);
      // Each event in a packet of its own, as over a network.
      await new Promise((resolve) => setImmediate(resolve));
    }
    // A model that never stops: whoever has enough leaves or aborts.
    if (body.model !== 'endless') res.end();
    return;
  }
  res.writeHead(200, { 'content-type': 'application/json', 'x-request-id': 'req_1' }).end(JSON.stringify(answerOf(path, body)));
}

const chatUsage = {
  prompt_tokens: 100,
  completion_tokens: 20,
  total_tokens: 120,
  prompt_tokens_details: { cached_tokens: 40 },
  completion_tokens_details: { reasoning_tokens: 5 },
};
const responseUsage = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 40 },
  output_tokens: 20,
  output_tokens_details: { reasoning_tokens: 5 },
  total_tokens: 120,
};
const messageUsage = { input_tokens: 60, cache_read_input_tokens: 40, cache_creation_input_tokens: 10, output_tokens: 20 };

function responseOf(body: any, status: string, withOutput: boolean): object {
  const content = [{ type: 'output_text', text: WORDS.join(''), annotations: [] }];
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    status,
    model: dated(body.model),
    output: withOutput ? [{ type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content }] : [],
    usage: withOutput ? responseUsage : null,
    incomplete_details: null,
    error: null,
    tools: [],
  };
}

function answerOf(path: string, body: any): object {
  if (path.endsWith('/embeddings')) {
    const data = [{ object: 'embedding', index: 0, embedding: [0.5, 0.25] }];
    return { object: 'list', data, model: body.model, usage: { prompt_tokens: 8, total_tokens: 8 } };
  }
  if (path.endsWith('/responses')) return responseOf(body, 'completed', true);
  if (path.endsWith('/messages')) {
    return {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: dated(body.model),
      content: [{ type: 'text', text: WORDS.join('') }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: messageUsage,
    };
  }
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: dated(body.model),
    choices: [{ index: 0, message: { role: 'assistant', content: WORDS.join(''), refusal: null }, finish_reason: 'stop' }],
    usage: chatUsage,
  };
}

function* eventsOf(path: string, body: any): Generator<string> {
  if (path.endsWith('/messages')) {
    yield* named(messageEvents(body));
  } else if (path.endsWith('/responses')) {
    yield* named(responseEvents(body));
  } else {
    for (const chunk of chatChunks(body)) yield `data: ${JSON.stringify(chunk)}\n\n`;
    if (body.model !== 'endless') yield 'data: [DONE]\n\n';
  }
}

function* named(events: Iterable<{ type: string }>): Generator<string> {
  for (const event of events) yield `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function* chatChunks(body: any): Generator<object> {
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: dated(body.model),
    choices: [{ index: 0, delta, finish_reason }],
    ...(body.stream_options?.include_usage && { usage: null }),
  });
  yield chunk({ role: 'assistant', content: '' });
  for (const content of WORDS) yield chunk({ content });
  if (body.model === 'endless') return;
  yield chunk({}, 'stop');
  if (body.stream_options?.include_usage) yield { ...chunk({}), choices: [], usage: chatUsage };
}

function* messageEvents(body: any): Generator<{ type: string }> {
  const message = {
    ...answerOf('/v1/messages', body),
    content: [],
    stop_reason: null,
    usage: { ...messageUsage, output_tokens: 1 },
  };
  yield { type: 'message_start', message } as { type: string };
  yield { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as { type: string };
  yield { type: 'ping' };
  for (const word of WORDS) {
    yield { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: word } } as { type: string };
  }
  if (body.model === 'endless') return;
  yield { type: 'content_block_stop', index: 0 } as { type: string };
  const delta = { stop_reason: 'end_turn', stop_sequence: null };
  yield { type: 'message_delta', delta, usage: { output_tokens: 20 } } as { type: string };
  yield { type: 'message_stop' };
}

function* responseEvents(body: any): Generator<{ type: string }> {
  let sequence_number = 0;
  const event = (type: string, rest: object) => ({ type, sequence_number: sequence_number++, ...rest });
  const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  const item = { id: 'msg_1', type: 'message', status: 'in_progress', role: 'assistant', content: [] };
  yield event('response.created', { response: responseOf(body, 'in_progress', false) });
  yield event('response.output_item.added', { output_index: 0, item });
  yield event('response.content_part.added', { ...place, part: { type: 'output_text', text: '', annotations: [] } });
  for (const delta of WORDS) yield event('response.output_text.delta', { ...place, delta, logprobs: [] });
  yield event('response.completed', { response: responseOf(body, 'completed', true) });
}

/** Vendors answer with the version of the model that they chose. */
function dated(model: string): string {
  return model === 'gpt-4o' ? 'gpt-4o-2024-08-06' : model === 'claude-sonnet-4-5' ? 'claude-sonnet-4-5-20250929' : model;
}
