import { connect, type Socket } from 'node:net';

/** Sends bytes as they are and resolves with all that comes back until the other end closes, or `until` matches. */
export function exchange(port: number, text: string, until?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setEncoding('latin1');
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no end of the answer: ${JSON.stringify(answer)}`)));
    socket.on('data', (chunk) => {
      answer += chunk;
      if (until?.test(answer)) socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(answer));
  });
}

/** A request as text, on a connection of its own unless `connection` says otherwise. */
export function request(method: string, target: string, headers: Record<string, string | string[]> = {}, body = ''): string {
  const all = { host: 'shop.example', connection: 'close', ...headers };
  const lines = Object.entries(all).flatMap(([name, value]) => [value].flat().map((each) => `${name}: ${each}\r\n`));
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/** A connection that stays open; resolves when something that matches has come. */
export async function open(port: number, text: string, until: RegExp): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('latin1');
  let answer = '';
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk) => {
      answer += chunk;
      if (until.test(answer)) resolve();
    });
    socket.once('error', reject);
    socket.write(text);
  });
  return socket;
}

/** How often a header stands in an answer, and with which values. */
export function headerValues(answer: string, name: string): string[] {
  const head = answer.slice(answer.lastIndexOf('HTTP/1.1 ')).split('\r\n\r\n', 1)[0];
  return head
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trim());
}
