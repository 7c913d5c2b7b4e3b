/** Calls by the ways that an app has, at an upstream that answers when the test wants. */
const http = require('node:http');

module.exports = ({ Pool, Client, Agent, request }, url) => {
  const read = async ({ body }) => (await body.text()).length;
  const pool = Pool && new Pool(url, { connections: 2 });
  const single = Pool && new Pool(url, { connections: 1 });
  const client = Client && new Client(url);
  const agent = Agent && new Agent({ connections: 2 });
  const sockets = new http.Agent({ keepAlive: true, maxSockets: 2 });
  const WAYS = {
    pool: (path) => pool.request({ path, method: 'GET' }).then(read),
    single: (path) => single.request({ path, method: 'GET' }).then(read),
    client: (path) => client.request({ path, method: 'GET' }).then(read),
    agent: (path) => request(url + path, { dispatcher: agent }).then(read),
    fetch: (path) => fetch(url + path).then((answer) => answer.text()),
    http: (path) =>
      new Promise((resolve, reject) => {
        http.get(url + path, { agent: sockets }, (res) => res.resume().on('end', resolve)).on('error', reject);
      }),
    host: (path, n) => fetch(`${url.replace('127.0.0.1', `127.0.0.${n + 1}`)}${path}`).then((answer) => answer.text()),
    tunnel: (path) => client.upgrade({ path, protocol: 'chat' }),
  };
  const started = [];

  return {
    /** So many calls at once; it does not wait for them. */
    start: ({ way, path, calls = '1' }) => {
      for (let n = 1; n <= Number(calls); n++) started.push(WAYS[way](path, n).catch((error) => error.code ?? error.message));
    },
    /** What became of all that were started. */
    done: () => Promise.all(started.splice(0)),
    /** Calls that it waits for, one after the other. */
    call: async ({ way, path, calls = '1' }) => {
      for (let n = 0; n < Number(calls); n++) await WAYS[way](path, n);
    },
    end: () => Promise.all([pool, single, client, agent].map((each) => each?.destroy())).then(() => null),
  };
};
