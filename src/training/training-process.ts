import { readFile } from "node:fs/promises";
import { forkApart } from "../fork-apart.ts";
import type { ChildAnswer, ChildProgress, ChildResult, ChildTask } from "./training-child.ts";
import { memoryShares, TrainingMemoryError } from "./training-memory.ts";

const entry = new URL("./training-child.ts", import.meta.url);
const longestErrorText = 8_192;

/** How a process ended that gave no answer. */
interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote on stderr. */
  readonly errorText: string;
}

/**
 * Trains in a process of its own, which may be ended at any moment: in the middle of DuckDB's native code a thread may
 * not, the whole service would end with it. It is gone when this returns or throws.
 * @param signal kills the process at once; its reason is thrown
 * @throws TrainingMemoryError; otherwise what the training threw, with name, message and code alone
 */
export async function runTrainingProcess(
  task: ChildTask,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (progress: ChildProgress) => void },
): Promise<ChildResult> {
  signal.throwIfAborted();
  const killsBefore = await countMemoryKills();
  signal.throwIfAborted();
  const { memoryBytes } = task;
  const child = forkApart(entry, { heapMebibytes: memoryShares(memoryBytes).heapMebibytes, memoryBytes });
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  let answer: ChildAnswer | undefined;
  let errorText = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errorText = (errorText + String(chunk)).slice(-longestErrorText);
  });
  child.on("message", (message: ChildAnswer | ChildProgress) => {
    if ("progress" in message) return onProgress(message);
    answer = message;
    // What it wrote is flushed, and nothing is left to be done.
    kill();
  });
  signal.addEventListener("abort", kill, { once: true });
  try {
    const end = await new Promise<ChildEnd>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, endSignal) => resolve({ code, signal: endSignal, errorText }));
      // A process that is gone already takes no task: its end tells.
      child.send(task, () => {});
    });
    signal.throwIfAborted();
    if (answer !== undefined && "result" in answer) return answer.result;
    if (answer !== undefined) throw Object.assign(new Error(answer.fault.message), answer.fault);
    throw whyItEnded(end, { isMemoryKill: killsBefore !== (await countMemoryKills()) });
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

function whyItEnded({ code, signal, errorText }: ChildEnd, { isMemoryKill }: { isMemoryKill: boolean }): Error {
  const held = /^held bytes: (\d+)$/m.exec(errorText)?.[1];
  if (held !== undefined) return new TrainingMemoryError("process", Number(held));
  if (/JavaScript heap out of memory/.test(errorText)) return new TrainingMemoryError("heap");
  if (signal === "SIGKILL" && isMemoryKill) return new TrainingMemoryError("machine");
  return new Error(`The training's process ended by ${signal ?? `exit code ${code}`}: ${errorText.trim().slice(-500)}`);
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
