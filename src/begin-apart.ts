import { writeFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { giveWay } from "./give-way.ts";
import type { WatchedChild } from "./watch-child.ts";

/**
 * For the entry of a process that `askApart` has started, before its first task: it lets the service go first, ends with it or
 * at too much memory, and is what the kernel takes where memory ends.
 * @throws where somebody else has started it
 */
export function beginApart(): void {
  const [parentPid, memoryBytes] = process.argv.slice(2).map(Number);
  if (parentPid === undefined || memoryBytes === undefined || process.send === undefined)
    throw new Error("This is started by the service only.");
  const workerData: WatchedChild = { parentPid, memoryBytes };
  new Worker(new URL("./watch-child.ts", import.meta.url), { workerData, execArgv: [] }).unref();
  // After that thread has begun, which is to come in time.
  giveWay();
  try {
    // Where memory ends, the kernel takes this one and not the service.
    writeFileSync("/proc/self/oom_score_adj", "1000");
  } catch {
    // Not Linux, or not allowed: the kernel takes the largest.
  }
  // A supervisor may send its signals to all processes of the service: the service alone decides when this one ends.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
}
