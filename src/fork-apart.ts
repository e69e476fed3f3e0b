import { type ChildProcess, fork } from "node:child_process";
import { getCompileCacheDir } from "node:module";

/**
 * Starts a process that reads strangers' data, and may be killed at any moment. It has no secret in its reach, inherits no
 * telemetry, and no signal of a terminal; a thread of `src/watch-child.ts` ends it with its parent, or at too much memory.
 * @param memoryBytes of all that it holds
 */
export function forkApart(
  entry: URL,
  { heapMebibytes, memoryBytes }: { readonly heapMebibytes: number; readonly memoryBytes: number },
): ChildProcess {
  return fork(entry, [String(process.pid), String(memoryBytes)], {
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
}

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
