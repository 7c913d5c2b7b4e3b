import { npx } from './tools.ts';

// The viewer's page runs in a browser and has that library's types instead of Node's.
const projects = ['tsconfig.json', 'viewer/page/tsconfig.json'];

process.exitCode = Math.max(...projects.map((project) => npx('tsc', ['-p', project])));
