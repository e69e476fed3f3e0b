import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { serviceEnvironment } from "./service.ts";

const root = new URL("../..", import.meta.url).pathname;

/** The service as a bare process, of which a test wants more than that it becomes ready. */
export interface RawService {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly errorLines: string[];
  /** Waits for a line on stdout, also one that came already. @throws when it ends before */
  line(pattern: RegExp): Promise<string>;
  /** Its exit code; the signal's name where that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Starts it; `before` is what a shell is to do first, such as `ulimit`. */
export function startRaw(
  place: { readonly dataDir: string; readonly databaseUrl: string },
  options: {
    readonly env?: Record<string, string>;
    readonly before?: string;
    readonly uid?: number;
    readonly limitMs?: number;
  } = {},
): RawService {
  const { env = {}, before = "true", uid, limitMs = 300_000 } = options;
  const command = `${before}; exec "${process.execPath}" --import ./otel/register src/main.ts`;
  const child = spawn("/bin/sh", ["-c", command], {
    cwd: root,
    env: serviceEnvironment(place, env),
    stdio: ["ignore", "pipe", "pipe"],
    ...(uid === undefined ? {} : { uid, gid: uid }),
    // What hangs fails its test, and is not left behind.
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  const lines: string[] = [];
  const errorLines: string[] = [];
  const output = createInterface({ input: child.stdout });
  output.on("line", (line) => lines.push(line));
  createInterface({ input: child.stderr }).on("line", (line) => errorLines.push(line));
  const ended = once(child, "close").then(([code, signal]) => code ?? signal);
  return {
    child,
    lines,
    errorLines,
    ended,
    async line(pattern) {
      const known = lines.find((line) => pattern.test(line));
      if (known !== undefined) return known;
      const { promise, resolve } = Promise.withResolvers<string>();
      output.on("line", (line) => pattern.test(line) && resolve(line));
      const end = ended.then((code) => {
        throw new Error(`Ended with ${code} before ${pattern}:\n${[...errorLines, ...lines].join("\n")}`);
      });
      return Promise.race([promise, end]);
    },
  };
}
