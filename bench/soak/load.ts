import { Agent, request as httpRequest } from 'node:http';

const CONCURRENCY = 16;

/** Sends a number of requests, a few at a time. Rejects if one of them fails. */
export async function load(port: number, count: number): Promise<void> {
  // Of its own: a connection that idled since the last load may be closed by the server as it is taken up again.
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  let left = count;
  const worker = async () => {
    while (left-- > 0) await get(port, '/work', agent);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  agent.destroy();
}

/** The body of one answer. */
export function get(port: number, path: string, agent?: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const sending = httpRequest({ host: '127.0.0.1', port, path, agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () =>
        response.statusCode === 200 ? resolve(body) : reject(new Error(`status ${response.statusCode}`)),
      );
      response.on('error', reject);
    });
    sending.on('error', reject);
    sending.end();
  });
}
