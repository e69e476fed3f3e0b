import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const root = join(import.meta.dirname, "..", "..");

/** A process of ours; disposing of it ends it by its own id. */
export class OwnProcess {
  readonly #child: ChildProcess;
  readonly #output: string[] = [];
  readonly #waiting = new Set<(line: string) => void>();
  /** Its exit code; not at its exit, since what it wrote last may still be in the pipes then. */
  readonly #closed: Promise<number | null>;

  constructor(command: string, parameters: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.#child = spawn(command, parameters, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    this.#closed = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.on("error", (error) => this.#output.push(String(error)));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        this.#output.push(line);
        for (const listener of this.#waiting) listener(line);
      });
    }
  }

  get output(): string {
    return this.#output.join("\n");
  }

  /** The first value that `find` makes of a line. */
  async line<Value>(find: (line: string) => Value | undefined, seconds: number): Promise<Value> {
    for (const line of this.#output) {
      const found = find(line);
      if (found !== undefined) return found;
    }
    return new Promise<Value>((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(listener);
        this.#child.off("close", onEnd);
      };
      const fail = (reason: string): void => {
        stop();
        reject(new Error(`${reason}:\n${this.output}`));
      };
      const onEnd = (): void => fail("It ended early");
      const listener = (line: string): void => {
        const found = find(line);
        if (found === undefined) return;
        stop();
        resolve(found);
      };
      const timer = setTimeout(() => fail(`Not within ${seconds} s`), seconds * 1000);
      this.#waiting.add(listener);
      this.#child.once("close", onEnd);
    });
  }

  /** Its exit code; null when a signal ended it. */
  ended(): Promise<number | null> {
    return this.#closed;
  }

  /** Lets it stand still, connections open, as a machine that hangs would. */
  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  goOn(): void {
    this.#child.kill("SIGCONT");
  }

  /** Asks it to end, and waits. @returns its exit code */
  end(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    return this.ended();
  }

  /** Ends it without asking, as a crash would. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 30_000);
    await this.ended();
    clearTimeout(timer);
  }
}

/** The real service on a free port, as `npm start` runs it; `tree` is another copy of the repository. */
export async function startService(
  dataDir: string,
  env: NodeJS.ProcessEnv = {},
  tree = root,
): Promise<{ service: OwnProcess; url: string }> {
  const service = new OwnProcess(
    process.execPath,
    ["--import", join(tree, "otel/register"), join(tree, "src/main.ts")],
    {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      SERVICE_PORT: "0",
      DATA_DIR: dataDir,
      ...env,
    },
  );
  try {
    const url = await service.line((line) => {
      if (!line.startsWith("{")) return undefined;
      const entry = JSON.parse(line) as { msg?: unknown; url?: unknown };
      return entry.msg === "ready" && typeof entry.url === "string" ? entry.url.replace(/\/$/, "") : undefined;
    }, 180);
    return { service, url };
  } catch (error) {
    await service[Symbol.asyncDispose]();
    throw error;
  }
}

/** Asks until there is an answer. */
export async function eventually<Value>(
  what: string,
  seconds: number,
  ask: () => Promise<Value | undefined>,
): Promise<Value> {
  const end = performance.now() + seconds * 1000;
  let last: unknown = "no answer";
  while (performance.now() < end) {
    try {
      const value = await ask();
      if (value !== undefined) return value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`${what}: not within ${seconds} s (${String(last)})`);
}
