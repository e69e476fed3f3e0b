// Loaded into the service and its threads by NODE_OPTIONS=--require: breaks them for as long as a file of that name is
// in the folder FAULTS.
const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { isMainThread, MessagePort } = require("node:worker_threads");

const isOn = (fault) => existsSync(join(process.env.FAULTS, fault));

if (isMainThread) {
  // Not always blocked: a scrape must come through to tell of it.
  const silence = new Int32Array(new SharedArrayBuffer(4));
  setInterval(() => {
    if (isOn("blocked-event-loop")) Atomics.wait(silence, 0, 0, 1_200);
  }, 6_000).unref();
} else {
  // A thread that trains ends itself when its table is loaded.
  const { postMessage } = MessagePort.prototype;
  MessagePort.prototype.postMessage = function (message, ...more) {
    if (message?.progress !== undefined && isOn("dying-threads")) process.exit(3);
    postMessage.call(this, message, ...more);
  };
}
