// Its module is evaluated when the server that it asks has answered.
import { createServer } from 'node:http';

await fetch(process.env.HELD_BY);
const server = createServer((_, response) => response.end()).listen(0, '127.0.0.1', () => {
  console.log(`LISTEN ${server.address().port}`);
});
