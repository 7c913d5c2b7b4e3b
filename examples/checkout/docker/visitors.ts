/** The visitors of the shop, for a container: steady traffic to `GATEWAY_URL`, `RATE` requests a second, until SIGTERM. */
import { runTraffic } from '../demo/traffic.ts';

const gateway = process.env.GATEWAY_URL ?? 'http://127.0.0.1:3000';
const rate = Number(process.env.RATE ?? 4);
if (!(rate > 0 && rate <= 200)) throw new RangeError(`RATE must be a number above 0, up to 200, not "${process.env.RATE}"`);

const end = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end.abort());

console.log(`${rate} requests a second to ${gateway}`);
let answers = 0;
let unanswered = 0;
const report = setInterval(() => console.log(`${answers} answered, ${unanswered} not answered`), 60_000);
await runTraffic({ gateway, rate, signal: end.signal, onSent: ({ status }) => (status === 0 ? unanswered++ : answers++) });
clearInterval(report);
console.log(`${answers} answered, ${unanswered} not answered`);
