import { defineLibrary, isExports } from './define.ts';

export const winston = defineLibrary<object>({
  name: 'winston',
  gives: 'Trace and correlation ids on every line; lines are shipped.',
  packages: { winston: '>=3.0.0 <4.0.0' },
  accepts: (exports): exports is object => isExports(exports) && typeof exports.createLogger === 'function',
  wire(exports, kit) {
    kit.logs.adoptWinston(exports);
    return undefined;
  },
});
