import { fork } from "node:child_process";
import { getCompileCacheDir } from "node:module";

const longestErrorText = 8_192;

/** How a process ended, whether it has answered or not. */
export interface EndApart {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote on stderr. */
  readonly errorText: string;
  /** What it held when `src/watch-child.ts` ended it for that. */
  readonly heldBytes: number | undefined;
  /** Whether V8's heap was too small. */
  readonly isHeapFull: boolean;
}

/** What a process is asked with. */
export interface ApartOptions<Answer> {
  readonly heapMebibytes: number;
  /** Of all that it holds. */
  readonly memoryBytes: number;
  /** Kills it at once; its reason is thrown. */
  readonly signal: AbortSignal;
  /** The answer in a message; undefined of one that is only news. What it has flushed by then is all that is left of it. */
  readonly answerOf: (message: unknown) => Answer | undefined;
}

/**
 * Asks a process of its own, which reads strangers' data and may be killed at any moment: in the middle of native code a thread
 * may not, the whole service would end with it. It has no secret in its reach, inherits no telemetry, hears no signal of a
 * terminal, and a thread of `src/watch-child.ts` ends it with its parent, or at too much memory. It is gone when this returns
 * or throws.
 * @param entry begins with `beginApart`
 * @returns no answer where it ended without
 */
export async function askApart<Answer>(
  entry: URL,
  task: object,
  { heapMebibytes, memoryBytes, signal, answerOf }: ApartOptions<Answer>,
): Promise<{ readonly answer: Answer | undefined; readonly end: EndApart }> {
  signal.throwIfAborted();
  const child = fork(entry, [String(process.pid), String(memoryBytes)], {
    // Else it would inherit --import, and start telemetry of its own.
    execArgv: [`--max-old-space-size=${heapMebibytes}`],
    // No secret, and nobody's NODE_OPTIONS.
    env: { ...pick(["PATH", "LD_LIBRARY_PATH", "TMPDIR", "TZ"]), ...compileCache() },
    // NaN and undefined come over as they are.
    serialization: "advanced",
    // A terminal sends its signals to the whole group: the service decides when the work ends.
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  let answer: Answer | undefined;
  let errorText = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errorText = (errorText + String(chunk)).slice(-longestErrorText);
  });
  child.on("message", (message: unknown) => {
    answer ??= answerOf(message);
    if (answer !== undefined) kill();
  });
  signal.addEventListener("abort", kill, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", () => resolve());
      // A process that is gone already takes no task: its end tells.
      child.send(task, () => {});
    });
  } finally {
    signal.removeEventListener("abort", kill);
  }
  signal.throwIfAborted();
  const held = /^held bytes: (\d+)$/m.exec(errorText)?.[1];
  const end = {
    code: child.exitCode,
    signal: child.signalCode,
    errorText,
    heldBytes: held === undefined ? undefined : Number(held),
    isHeapFull: errorText.includes("JavaScript heap out of memory"),
  };
  return { answer, end };
}

/** How a process ended that has not answered, for people. */
export const describeEnd = ({ code, signal, errorText }: EndApart): string =>
  `${signal ?? `exit code ${code}`}: ${errorText.trim().slice(-500)}`;

/** Where the service keeps compiled code, if it does: its start costs the process half as much CPU then (ADR 0020). */
function compileCache(): { NODE_COMPILE_CACHE?: string } {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

function pick(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name): [string, string][] => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
