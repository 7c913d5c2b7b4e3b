// The app of APP with the copy of its library that LIBRARY names, loaded by `require`.
const app = require(`./${process.env.APP}.cjs`);
const serve = require('./serve.cjs');

serve(app(require(process.env.LIBRARY), process.env.SERVER_URL));
