import { setTimeout as sleep } from 'node:timers/promises';

type ServiceName = 'gateway' | 'orders' | 'payments';

interface Step {
  readonly method: 'GET' | 'POST';
  /** A path, or a function of the last order's id. */
  readonly path: string | ((lastOrder: string) => string);
  /** The route template that the gateway matches; empty where none does. */
  readonly route: string;
  readonly body?: unknown;
  /** Statuses that the gateway may answer with. */
  readonly statuses: readonly number[];
  /** Services that the request passes through. */
  readonly services: readonly ServiceName[];
}

/** One request that was sent, and what came back. */
export interface Sent {
  readonly step: Step;
  readonly path: string;
  /** 0 if no answer came. */
  readonly status: number;
  readonly durationMs: number;
  /** The id that the client sent; undefined where it left that to the gateway. */
  readonly sentId: string | undefined;
  /** The id in the answer's header. */
  readonly correlationId: string | undefined;
}

const cart = (...skus: string[]) => ({ customer: 'ada', items: skus.map((sku, n) => ({ sku, quantity: n + 1 })) });
const checkout = { method: 'POST', path: '/checkout', route: '/checkout' } as const;
const all = ['gateway', 'orders', 'payments'] as const;

/** What visitors of the shop do, over and over, in this order. Payments are declined (402) and fail (502) now and then. */
const STEPS: readonly Step[] = [
  { method: 'GET', path: '/products', route: '/products', statuses: [200], services: ['gateway'] },
  { ...checkout, body: cart('tea-green', 'cup-glass'), statuses: [201, 402, 502], services: all },
  { method: 'GET', path: '/products/tea-black', route: '/products/:sku', statuses: [200], services: ['gateway'] },
  { ...checkout, body: cart('pot-clay'), statuses: [201, 402, 502], services: all },
  {
    method: 'GET',
    path: (id) => `/orders/${id}`,
    route: '/orders/:id',
    statuses: [200, 404],
    services: ['gateway', 'orders'],
  },
  { ...checkout, body: cart('scale'), statuses: [409], services: ['gateway', 'orders'] },
  { method: 'GET', path: '/products/coffee', route: '/products/:sku', statuses: [404], services: ['gateway'] },
  { ...checkout, body: cart('tea-black', 'tea-green', 'pot-clay'), statuses: [201, 402, 502], services: all },
  { ...checkout, body: { customer: 'eve', items: [] }, statuses: [400], services: ['gateway'] },
  { method: 'GET', path: '/recommendations', route: '/recommendations', statuses: [500], services: ['gateway'] },
  { ...checkout, body: cart('cup-glass', 'tea-black'), statuses: [201, 402, 502], services: all },
  { method: 'GET', path: '/wp-login.php', route: '', statuses: [404], services: ['gateway'] },
];

export interface TrafficOptions {
  readonly gateway: string;
  /** Requests a second. */
  readonly rate: number;
  /** Ends by itself after so many requests. */
  readonly count?: number;
  readonly signal: AbortSignal;
  readonly onSent: (sent: Sent) => void;
}

/** Sends steady traffic; at most 50 requests are in flight. Resolves when all answers have come. */
export async function runTraffic({ gateway, rate, count = Infinity, signal, onSent }: TrafficOptions): Promise<void> {
  const inFlight = new Set<Promise<void>>();
  let lastOrder = 'none-yet';
  for (let n = 0; n < count && !signal.aborted; n += 1) {
    const step = STEPS[n % STEPS.length];
    // Some clients bring an id of their own, most do not.
    const sentId = n % 5 === 0 ? `web-${process.pid}-${n}` : undefined;
    const request = send(gateway, step, lastOrder, sentId, signal).then(({ sent, orderId }) => {
      inFlight.delete(request);
      if (orderId) lastOrder = orderId;
      if (!signal.aborted) onSent(sent);
    });
    inFlight.add(request);
    if (inFlight.size >= 50) await Promise.race(inFlight);
    await sleep(1000 / rate, undefined, { signal }).catch(() => {});
  }
  await Promise.all(inFlight);
}

async function send(gateway: string, step: Step, lastOrder: string, sentId: string | undefined, signal: AbortSignal) {
  const path = typeof step.path === 'string' ? step.path : step.path(lastOrder);
  const startedAt = performance.now();
  const done = (status: number, correlationId?: string): Sent => {
    return { step, path, status, correlationId, sentId, durationMs: performance.now() - startedAt };
  };
  try {
    const response = await fetch(gateway + path, {
      method: step.method,
      headers: {
        ...(step.body ? { 'content-type': 'application/json' } : {}),
        ...(sentId ? { 'x-correlation-id': sentId } : {}),
      },
      body: step.body ? JSON.stringify(step.body) : undefined,
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    const body = (await response.json()) as { id?: string };
    const sent = done(response.status, response.headers.get('x-correlation-id') ?? undefined);
    return { sent, orderId: response.status === 201 ? body.id : undefined };
  } catch {
    return { sent: done(0), orderId: undefined };
  }
}
