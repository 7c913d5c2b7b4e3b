import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** A mail server that speaks as much of SMTP (RFC 5321) as a client needs to hand over a message. */
export interface SmtpServer extends AsyncDisposable {
  readonly url: string;
  /** The messages that it has taken. */
  readonly messages: readonly string[];
  /** While true it takes connections and says nothing. Set to false, it is as started anew: those connections are gone. */
  hangs: boolean;
}

export async function startSmtpServer(): Promise<SmtpServer> {
  const messages: string[] = [];
  const sockets = new Set<Socket>();
  const state = { hangs: false };

  const server = createServer((socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)).on('error', () => {}));
    if (state.hangs) return;
    let buffer = '';
    let inData = false;
    const say = (line: string) => socket.write(`${line}\r\n`);
    say('220 mail.test ESMTP');
    socket.setEncoding('utf8').on('data', (text: string) => {
      buffer += text;
      for (;;) {
        const end = buffer.indexOf(inData ? '\r\n.\r\n' : '\r\n');
        if (end < 0) return;
        const piece = buffer.slice(0, end);
        buffer = buffer.slice(end + (inData ? 5 : 2));
        if (inData) {
          inData = false;
          messages.push(piece);
          say('250 taken');
        } else if (/^DATA/i.test(piece)) {
          inData = true;
          say('354 go on');
        } else if (/^QUIT/i.test(piece)) {
          say('221 bye');
          socket.end();
        } else say('250 mail.test');
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `smtp://127.0.0.1:${(server.address() as { port: number }).port}`,
    messages,
    get hangs() {
      return state.hangs;
    },
    set hangs(value) {
      state.hangs = value;
      if (!value) for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
