/**
 * Entry of the thread that watches over a process that trains, whose own event loop is held up for seconds at a time:
 * ends it when its parent is gone, or when it holds more memory than it may.
 */
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";

/** What the watching thread is given. */
export interface WatchedChild {
  /** A process whose parent has died is given to another. */
  readonly parentPid: number;
  readonly memoryBytes: number;
}

const { parentPid, memoryBytes } = workerData as WatchedChild;
const watchMs = 100;

setInterval(() => {
  const heldBytes = process.memoryUsage.rss();
  // By the descriptor, since a stream of a thread writes by way of the main one, which may never get to it.
  if (heldBytes > memoryBytes) writeSync(2, `\nheld bytes: ${heldBytes}\n`);
  if (heldBytes > memoryBytes || process.ppid !== parentPid) process.kill(process.pid, "SIGKILL");
}, watchMs);
