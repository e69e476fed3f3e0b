// Loaded into the service and its threads by NODE_OPTIONS=--require: writes what is loaded, by require or by import,
// to the file LOADS, a URL a line. At once and not at the end: a process that is ended by a signal writes nothing more.
const { appendFileSync } = require("node:fs");
const { registerHooks } = require("node:module");

registerHooks({
  load(url, context, next) {
    appendFileSync(process.env.LOADS, `${url}\n`);
    return next(url, context);
  },
});
