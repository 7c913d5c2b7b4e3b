import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { createRequire } from 'node:module';

/** How an app of test/apps/fixtures is spoken to. */
export type Protocol = 'http' | 'https' | 'http2';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

type Headers = Readonly<Record<string, string>>;

const { cert } = createRequire(import.meta.url)('../apps/fixtures/certificate.cjs') as { cert: string };

/** One GET on a connection of its own. */
export function get(protocol: Protocol, port: number, path: string, headers: Headers = {}): Promise<Answer> {
  return protocol === 'http2' ? getHttp2(port, path, headers) : getHttp1(protocol, port, path, headers);
}

function getHttp1(protocol: 'http' | 'https', port: number, path: string, headers: Headers): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, headers, agent: false, ca: cert };
    const request = (protocol === 'https' ? https : http).get(options, (response) => {
      response.resume().once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
    });
    request.once('error', reject);
  });
}

function getHttp2(port: number, path: string, headers: Headers): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://127.0.0.1:${port}`).once('error', reject);
    const stream = session.request({ ':path': path, ...headers }).once('error', reject);
    let answer: Answer;
    stream.once('response', (got) => {
      answer = { status: Number(got[':status']), headers: got as Answer['headers'] };
    });
    stream.once('end', () => session.close(() => resolve(answer)));
    stream.resume().end();
  });
}
