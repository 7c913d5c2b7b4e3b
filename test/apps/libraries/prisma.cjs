const schema = require('./prisma-schema.cjs');

/** The compiler of queries, in the runtime's package; its name has changed within version 7. */
const compiler = ['query_compiler_small_bg', 'query_compiler_bg'].find((name) => {
  try {
    return require.resolve(beside(`${name}.postgresql.js`));
  } catch {
    return false;
  }
});

function beside(file) {
  return process.env.LIBRARY.replace(/client$/, file);
}

const compilerWasm = {
  getRuntime: async () => require(beside(`${compiler}.postgresql.js`)),
  getQueryCompilerWasmModule: async () =>
    new WebAssembly.Module(Buffer.from(require(beside(`${compiler}.postgresql.wasm-base64.js`)).wasm, 'base64')),
  importName: `./${compiler}.js`,
};

/** Prisma: a client as `prisma generate` makes it, on node-postgres with two connections. */
module.exports = async ({ getPrismaClient }, url) => {
  const { PrismaPg } = process.argv[1].endsWith('.mjs') ? await import('@prisma/adapter-pg') : require('@prisma/adapter-pg');
  const PrismaClient = getPrismaClient({ ...schema, compilerWasm });
  const adapter = new PrismaPg({ connectionString: url, max: 2, connectionTimeoutMillis: 500 });
  const prisma = new PrismaClient({ adapter });

  // In nobody's request.
  const warm = process.env.WARM && prisma.customer.count().then((count) => count);
  return {
    warm: async () => void (await warm),
    find: () => prisma.customer.findMany({ where: { name: 'Ada' }, select: { name: true } }),
    include: async () => (await prisma.customer.findMany({ include: { orders: true } })).length,
    /** Two at once: each has its own query. */
    both: async () => (await Promise.all([prisma.customer.count(), prisma.order.count()])).length,
    /** The client makes one query of them. */
    batched: async () => (await Promise.all([1, 2].map((id) => prisma.customer.findUnique({ where: { id } })))).length,
    raw: () => prisma.$queryRaw`select name from customers where name = ${'Ada'}`,
    duplicate: () => prisma.customer.create({ data: { id: 1, name: 'Grace' } }),
    rawDuplicate: () => prisma.$executeRaw`insert into customers (id, name) values (${1}, ${'Grace'})`,
    missing: () => prisma.customer.findUniqueOrThrow({ where: { id: 404 } }),
    invalid: () => prisma.customer.create({ data: { id: 'Grace', name: 'Grace' } }),
    transaction: () =>
      prisma.$transaction(async (tx) => {
        await tx.customer.update({ where: { id: 1 }, data: { visits: { increment: 1 } } });
        console.log('inside');
      }),
    list: async () => (await prisma.$transaction([prisma.customer.count(), prisma.order.count()])).length,
    broken: () =>
      prisma.$transaction(async (tx) => {
        await tx.customer.create({ data: { id: 1, name: 'Grace' } });
      }),
    /** The app takes back what it did. */
    rollback: () =>
      prisma.$transaction(async () => {
        throw new Error('out of stock');
      }),
    late: () => prisma.$transaction(() => new Promise((resolve) => setTimeout(resolve, 300)), { timeout: 50 }),
    /** More callers than there are connections, for longer than one may wait. */
    crowd: async () =>
      (await Promise.allSettled([1, 2, 3].map(() => prisma.$queryRaw`select pg_sleep(0.8)::text`))).map(({ status }) => status),
    /** Nobody waits for it. */
    forgotten: () => {
      void prisma.$transaction(async () => {
        throw new Error('forgotten');
      });
    },
    /** A failure among what is sent as one. */
    brokenList: () => prisma.$transaction([prisma.order.count(), prisma.customer.create({ data: { id: 1, name: 'Grace' } })]),
    /** The same failure on the way, and then another. */
    mended: () =>
      prisma.$transaction(async (tx) => {
        await tx.customer.findUniqueOrThrow({ where: { id: 404 } }).catch(() => {});
        await tx.order.findUniqueOrThrow({ where: { id: 404 } });
      }),
    close: () => prisma.$disconnect(),
  };
};
