'use strict';

/** The ways to make a logger of pino, by name. All write to stdout. */
module.exports = (pino) => {
  const base = pino();
  return {
    default: base,
    child: base.child({ module: 'a' }).child({ part: 'b' }, { level: 'debug' }),
    named: pino.pino({ name: 'shop', timestamp: pino.stdTimeFunctions.isoTime }),
    destination: pino(pino.destination({ dest: 1, sync: false })),
    transport: pino({ transport: { target: 'pino/file', options: { destination: 1 } } }),
    targets: pino({ transport: { targets: [{ target: 'pino/file', options: { destination: 1 }, level: 'info' }] } }),
    multistream: pino({}, pino.multistream([{ stream: process.stdout }])),
  };
};
