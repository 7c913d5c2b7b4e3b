'use strict';

const baseUrl = process.env.ORDERS_URL ?? 'http://127.0.0.1:3001';

/**
 * Calls the orders service.
 *
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<{status: number, body: any}>}
 */
async function orders(path, init) {
  const response = await fetch(baseUrl + path, { ...init, signal: AbortSignal.timeout(5000) });
  return { status: response.status, body: await response.json() };
}

module.exports = { orders };
