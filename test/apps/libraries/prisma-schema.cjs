/**
 * What `prisma generate` writes for a schema of two models, less the types and the index of its cache of plans: it is only
 * data, that the client's runtime is called with. The runtime is the package's own.
 */
const field = (name, type = 'Int') => ({ name, kind: 'scalar', type });
const relation = (name, type) => ({ name, kind: 'object', type, relationName: 'CustomerToOrder' });

module.exports = {
  previewFeatures: [],
  clientVersion: '7.0.0',
  engineVersion: '',
  activeProvider: 'postgresql',
  inlineSchema: `
    generator client {
      provider = "prisma-client"
    }
    datasource db {
      provider = "postgresql"
    }
    model Customer {
      id     Int     @id
      name   String
      visits Int     @default(0)
      orders Order[]
      @@map("customers")
    }
    model Order {
      id         Int      @id
      customerId Int      @map("customer_id")
      customer   Customer @relation(fields: [customerId], references: [id])
      @@map("orders")
    }`,
  runtimeDataModel: {
    models: {
      Customer: {
        dbName: 'customers',
        schema: null,
        fields: [field('id'), field('name', 'String'), field('visits'), relation('orders', 'Order')],
      },
      Order: {
        dbName: 'orders',
        schema: null,
        fields: [field('id'), { ...field('customerId'), dbName: 'customer_id' }, relation('customer', 'Customer')],
      },
    },
    enums: {},
    types: {},
  },
  parameterizationSchema: { strings: [], graph: 'AAAAAAAA' },
};
