const { createServer } = require('node:http');

/** graphql: a schema whose resolvers call a service over HTTP. */
module.exports = async (library) => {
  const { graphql, buildSchema } = library;
  const service = createServer((_req, res) => res.end('Ada')).unref();
  await new Promise((resolve) => service.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${service.address().port}/`;

  const schema = buildSchema(`
    type Order { id: ID!, customer: String }
    type Query { order(id: ID!): Order, size(of: Int): Int, refused: Int, wrong: Int, ready: Boolean }
    type Mutation { pay(card: String): Boolean }
  `);
  const rootValue = {
    order: ({ id }) => ({ id, customer: async () => (await fetch(url)).text() }),
    size: ({ of }) => of,
    refused: async () => {
      throw Object.assign(new Error('no database'), { code: 'ECONNREFUSED' });
    },
    // An answer that is no Int.
    wrong: () => 'secret-answer',
    ready: () => true,
    pay: () => true,
  };
  const run = (source, variableValues) => graphql({ schema, source, rootValue, variableValues });

  return {
    query: async () => (await run('query Order { order(id: "secret-id") { customer } }')).data.order.customer,
    ready: async () => (await run('{ ready }')).data.ready,
    mutation: async () => (await run('mutation Pay { pay(card: "secret-card") }')).data.pay,
    refused: async () => (await run('query Refused { refused }')).errors[0].message,
    wrong: async () => (await run('query Wrong { wrong }')).errors.length,
    variable: async () => (await run('query Size($of: Int) { size(of: $of) }', { of: 'secret-variable' })).errors.length,
    several: async () => {
      const source = 'query One { ready } query Two { ready }';
      return (await graphql({ schema, source, rootValue, operationName: 'Two' })).data.ready;
    },
    // Neither is an operation that was executed.
    syntax: async () => (await run('query {')).errors.length,
    close: () => service.close(),
  };
};
