import { npx } from './tools.ts';

process.exitCode = npx('tsc', ['-p', 'tsconfig.json']);
