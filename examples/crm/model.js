/**
 * A model on this machine, for trying the service without a key: it answers `POST /v1/chat/completions` as the vendor's
 * reference documents it, with a summary that only counts the notes.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/create
 */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

const server = createServer(async (req, res) => {
  res.setHeader('content-type', 'application/json');
  if (req.method !== 'POST' || req.url !== '/v1/chat/completions') {
    res.writeHead(404).end(JSON.stringify({ error: { message: 'no such path', type: 'invalid_request_error', code: null } }));
    return;
  }
  const { model, messages } = JSON.parse(await text(req));
  const asked = messages.at(-1).content;
  const content = `There are ${asked.split('\n').length - 1} notes. The latest says it all.`;
  // About four characters a token.
  const [prompt, completion] = [asked, content].map(({ length }) => Math.ceil(length / 4));
  res.end(
    JSON.stringify({
      id: `chatcmpl-${Date.now().toString(36)}`,
      object: 'chat.completion',
      created: Math.floor(Date.now() / 1000),
      model,
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop', logprobs: null }],
      usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
    }),
  );
});

server.listen(Number(process.env.PORT ?? 3101), '127.0.0.1', () => {
  console.log(`LISTEN ${server.address().port}`);
});
