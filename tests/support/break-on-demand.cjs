// Loaded into the service by NODE_OPTIONS=--require: breaks them for as long as a file of that name is
// in the folder FAULTS.
const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { isMainThread } = require("node:worker_threads");
const { ChildProcess } = require("node:child_process");

const isOn = (fault) => existsSync(join(process.env.FAULTS, fault));

if (isMainThread) {
  // Not always blocked: a scrape must come through to tell of it.
  const silence = new Int32Array(new SharedArrayBuffer(4));
  setInterval(() => {
    if (isOn("blocked-event-loop")) Atomics.wait(silence, 0, 0, 1_200);
  }, 6_000).unref();

  // A process that trains is killed when its table is loaded. No answer of it gets through: one may be on its way.
  const { emit } = ChildProcess.prototype;
  ChildProcess.prototype.emit = function (event, ...args) {
    if (event !== "message" || !isOn("dying-trainings")) return emit.call(this, event, ...args);
    return this.kill("SIGKILL");
  };
}
