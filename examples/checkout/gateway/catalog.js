'use strict';

/** What the shop sells. Prices in cents. */
const products = new Map(
  [
    { sku: 'tea-green', name: 'Green tea, 250 g', price: 890 },
    { sku: 'tea-black', name: 'Black tea, 250 g', price: 790 },
    { sku: 'pot-clay', name: 'Clay teapot', price: 4900 },
    { sku: 'cup-glass', name: 'Glass cup', price: 650 },
    { sku: 'scale', name: 'Pocket scale', price: 2150 },
  ].map((product) => [product.sku, product]),
);

module.exports = { products };
