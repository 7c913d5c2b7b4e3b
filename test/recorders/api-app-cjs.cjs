require('./api-app.cjs')(require('o11y-kit')).then((lines) => {
  for (const line of lines) console.log(line);
});
