import { npx } from './tools.ts';

process.exitCode = npx('biome', ['check', '--error-on-warnings', ...process.argv.slice(2)]);
