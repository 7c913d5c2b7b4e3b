/** How long the app itself waits for an answer. */
const PATIENCE_MS = 3000;
const AT_ONCE = 100;

/**
 * Actions of an app that sends messages to itself. `deliver` sends one, which is an id; whoever reads it calls `arrived`.
 */
module.exports = function answered(deliver) {
  const waiting = new Map();
  let count = 0;

  async function send() {
    const id = String(++count);
    const handled = new Promise((resolve) => waiting.set(id, resolve));
    let timer;
    // A client answers some of what was sent to a broker that was gone never.
    const patience = new Promise((_resolve, reject) => {
      timer = setTimeout(reject, PATIENCE_MS, new Error('no answer: timeout of the app'));
    });
    try {
      await Promise.race([Promise.all([deliver(id), handled]), patience]);
    } finally {
      clearTimeout(timer);
      waiting.delete(id);
    }
  }

  return { arrived: (id) => waiting.get(id)?.(), actions: { send, many: many(send) } };
};

/** The same action many times, some of them at once. */
function many(action) {
  return async ({ times }) => {
    for (let n = 0; n < Number(times); n += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, action));
  };
}

module.exports.many = many;
