import { readFile } from "node:fs/promises";
import { askApart, describeEnd, type EndApart } from "../ask-apart.ts";
import type { ChildAnswer, ChildProgress, ChildResult, ChildTask } from "./training-child.ts";
import { memoryShares, TrainingMemoryError } from "./training-memory.ts";

const entry = new URL("./training-child.ts", import.meta.url);

/**
 * Trains in a process of its own, which is gone when this returns or throws.
 * @param signal kills the process at once; its reason is thrown
 * @throws TrainingMemoryError; otherwise what the training threw, with name, message and code alone
 */
export async function runTrainingProcess(
  task: ChildTask,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (progress: ChildProgress) => void },
): Promise<ChildResult> {
  signal.throwIfAborted();
  const killsBefore = await countMemoryKills();
  const { memoryBytes } = task;
  const { answer, end } = await askApart<ChildAnswer>(entry, task, {
    heapMebibytes: memoryShares(memoryBytes).heapMebibytes,
    memoryBytes,
    signal,
    answerOf(message) {
      if (!("progress" in (message as ChildAnswer | ChildProgress))) return message as ChildAnswer;
      onProgress(message as ChildProgress);
      return undefined;
    },
  });
  if (answer === undefined) throw whyItEnded(end, { isMemoryKill: killsBefore !== (await countMemoryKills()) });
  if ("result" in answer) return answer.result;
  throw Object.assign(new Error(answer.fault.message), answer.fault);
}

function whyItEnded(end: EndApart, { isMemoryKill }: { isMemoryKill: boolean }): Error {
  if (end.heldBytes !== undefined) return new TrainingMemoryError("process", end.heldBytes);
  if (end.isHeapFull) return new TrainingMemoryError("heap");
  if (end.signal === "SIGKILL" && isMemoryKill) return new TrainingMemoryError("machine");
  return new Error(`The training's process ended by ${describeEnd(end)}`);
}

/**
 * How often the kernel has ended a process for want of memory: of this container where it counts them (cgroup v2), else of
 * the machine. Undefined where it does not tell.
 */
async function countMemoryKills(): Promise<string | undefined> {
  const counters = await readFile("/sys/fs/cgroup/memory.events", "utf8")
    .catch(() => readFile("/proc/vmstat", "utf8"))
    .catch(() => "");
  return /^oom_kill (\d+)$/m.exec(counters)?.[1];
}
