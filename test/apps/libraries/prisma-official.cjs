// What an app adds that traces Prisma by itself.
const { PrismaInstrumentation, registerInstrumentations } = require('@prisma/instrumentation');

registerInstrumentations({ instrumentations: [new PrismaInstrumentation()] });
