import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Declined, Provider } from './provider.ts';

const provider = new Provider({
  failureRate: rate('FAILURE_RATE', 0.08),
  declineRate: rate('DECLINE_RATE', 0.08),
  slowRate: rate('SLOW_RATE', 0.1),
  slowMs: Number(process.env.SLOW_MS ?? 900),
  seed: Number(process.env.SEED ?? Date.now()),
});

const server = http.createServer(async (request, response) => {
  const { method, url } = request;
  if (method !== 'POST' || url !== '/charges') return answer(response, 404, { error: 'not found' });
  try {
    const { orderId, amount } = JSON.parse((await request.toArray()).join(''));
    const id = randomUUID();
    const ms = await provider.charge(amount);
    console.log('charged %d cents for order %s in %d ms', amount, orderId, ms);
    answer(response, 201, { id });
  } catch (error) {
    if (error instanceof Declined) {
      console.warn(error.message);
      return answer(response, 402, { error: error.message });
    }
    console.error('charge failed', error);
    answer(response, error instanceof SyntaxError ? 400 : 503, { error: (error as Error).message });
  }
});

function answer(response: http.ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function rate(name: string, fallback: number): number {
  const value = Number(process.env[name] ?? fallback);
  if (value >= 0 && value <= 1) return value;
  throw new RangeError(`${name} must be a number from 0 to 1, not "${process.env[name]}"`);
}

server.listen(Number(process.env.PORT ?? 3002), process.env.HOST ?? '127.0.0.1', () => {
  console.log(`payments listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

process.once('SIGTERM', () => server.close());
