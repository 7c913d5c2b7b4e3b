/** Stock and orders, in memory: this is an example. Only the last orders are kept. */
const KEPT = 1000;

const stock = new Map([
  ['tea-green', Infinity],
  ['tea-black', Infinity],
  ['pot-clay', Infinity],
  ['cup-glass', Infinity],
  ['scale', 0],
]);
const orders = new Map();

/** The first item that is not in stock, if any. */
export function missing(items) {
  return items.find(({ sku, quantity }) => (stock.get(sku) ?? 0) < quantity);
}

export function save(order) {
  orders.set(order.id, order);
  if (orders.size > KEPT) orders.delete(orders.keys().next().value);
}

export function find(id) {
  return orders.get(id);
}
