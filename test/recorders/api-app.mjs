import * as kit from 'o11y-kit';
import run from './api-app.cjs';

for (const line of await run(kit)) console.log(line);
