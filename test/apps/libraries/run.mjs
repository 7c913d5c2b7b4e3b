// The app of APP with the copy of its library that LIBRARY names, loaded by `import`.
import app from './app.mjs';
import serve from './serve.cjs';

const library = await import(process.env.LIBRARY);
serve(app(library.default ?? library, process.env.SERVER_URL));
