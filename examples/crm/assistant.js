import OpenAI from 'openai';
import { settings } from './settings.js';

const client = new OpenAI({ baseURL: settings.modelUrl, apiKey: settings.modelKey || 'none', maxRetries: 1, timeout: 20_000 });

/** Two sentences about a customer, from the latest notes. */
export async function summarize(customer, notes) {
  const { choices } = await client.chat.completions.create({
    model: settings.model,
    messages: [
      { role: 'system', content: 'You summarize notes about a customer in two sentences for a colleague.' },
      { role: 'user', content: `${customer.name}:\n${notes.map(({ body }) => `- ${body}`).join('\n')}` },
    ],
    max_completion_tokens: 200,
  });
  return choices[0].message.content;
}
