/**
 * The world outside, to play with: a mail server (port 1025) and a web server (port 8080) that behave as they are told.
 *
 *   POST /hook, GET /page      what steps may call
 *   POST /behave               { "web": "ok" | "slow" | "hang" | 500 | 404 …, "mail": "ok" | "hang" | "refuse" }
 */
import { createServer as createWebServer } from 'node:http';
import { createServer as createMailServer } from 'node:net';

const behaviour = { web: 'ok', mail: 'ok' };
const host = '127.0.0.1';

const web = createWebServer(async (req, res) => {
  if (req.method === 'POST' && req.url === '/behave') {
    let body = '';
    for await (const chunk of req.setEncoding('utf8')) body += chunk;
    Object.assign(behaviour, JSON.parse(body));
    res.end(`${JSON.stringify(behaviour)}\n`);
    return;
  }
  req.resume();
  if (behaviour.web === 'hang') return;
  if (behaviour.web === 'slow') await new Promise((resolve) => setTimeout(resolve, 2000));
  res.writeHead(typeof behaviour.web === 'number' ? behaviour.web : 200).end('hello\n');
});

const mail = createMailServer((socket) => {
  socket.on('error', () => {});
  if (behaviour.mail === 'hang') return;
  const say = (line) => socket.write(`${line}\r\n`);
  if (behaviour.mail === 'refuse') {
    say('554 no mail today');
    socket.end();
    return;
  }
  let inData = false;
  let buffer = '';
  say('220 outside ESMTP');
  socket.setEncoding('utf8').on('data', (text) => {
    buffer += text;
    for (;;) {
      const end = buffer.indexOf(inData ? '\r\n.\r\n' : '\r\n');
      if (end < 0) return;
      const piece = buffer.slice(0, end);
      buffer = buffer.slice(end + (inData ? 5 : 2));
      if (inData) say('250 taken');
      else if (/^DATA/i.test(piece)) say('354 go on');
      else if (/^QUIT/i.test(piece)) {
        say('221 bye');
        socket.end();
      } else say('250 outside');
      inData = !inData && /^DATA/i.test(piece);
    }
  });
});

web.listen(8080, host, () => console.log(`web on http://${host}:8080`));
mail.listen(1025, host, () => console.log(`mail on smtp://${host}:1025`));
