import http from 'node:http';

const baseUrl = new URL(process.env.PAYMENTS_URL ?? 'http://127.0.0.1:3002');
const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });

/**
 * Charges a customer.
 *
 * @param {{orderId: string, customer: string, amount: number}} charge amount in cents
 * @returns {Promise<{status: number, body: {id?: string, error?: string}}>}
 */
export function charge(charge) {
  const body = JSON.stringify(charge);
  return new Promise((resolve, reject) => {
    const request = http.request(
      new URL('/charges', baseUrl),
      {
        agent,
        method: 'POST',
        timeout: 3000,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      async (response) => {
        try {
          const text = (await response.toArray()).join('');
          resolve({ status: response.statusCode, body: JSON.parse(text) });
        } catch (error) {
          reject(error);
        }
      },
    );
    request.on('timeout', () => request.destroy(new Error('payments did not answer in 3 s')));
    request.on('error', reject);
    request.end(body);
  });
}
