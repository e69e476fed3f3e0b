import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const root = join(import.meta.dirname, "..", "..");

/** What a process says of itself; loop and peak figures are since the last `watch`. */
export interface Measured {
  /** User and system, all threads, since its start. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
  /** How late the event loop was. */
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  /** Of the garbage collector, which no code of ours can avoid wholly. */
  readonly longestCollectionMs: number;
}

/** What such a process is asked over its channel. */
export interface Question {
  readonly id: number;
  readonly what: "measure" | "watch" | "unwatch" | "profile" | "unprofile";
}

/** One sample of a CPU profile: the function on top of the stack, and how long it is taken to have been there. */
export interface SelfTime {
  readonly functionName: string;
  /** Of its module; empty for what V8 and the operating system do. */
  readonly url: string;
  readonly microseconds: number;
}

interface Reply {
  readonly id: number;
  readonly measured: Measured;
  readonly selfTimes?: readonly SelfTime[];
}

/** A Node process with `measure-hook.ts` in it; it is asked over its channel and ended by its own id. */
export class MeasuredProcess implements AsyncDisposable {
  readonly url: string;
  /** From the fork to its line «ready». */
  readonly startSeconds: number;
  readonly #child: ChildProcess;
  #lastId = 0;

  private constructor(child: ChildProcess, url: string, startSeconds: number) {
    this.#child = child;
    this.url = url;
    this.startSeconds = startSeconds;
  }

  /**
   * Starts a server and waits for its line `{"msg":"ready","url":…}` on stdout.
   * @throws when it ends before
   */
  static async start(parameters: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const began = performance.now();
    const { PATH, HOME } = process.env;
    const child = spawn(process.execPath, ["--import", "./tests/bench/measure-hook.ts", ...parameters], {
      cwd: root,
      env: { PATH, HOME, ...env },
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    const url = await new Promise<string>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`${parameters.join(" ")} ended with ${code} at its start`)));
      createInterface({ input: child.stdout! }).on("line", (line) => {
        if (!line.startsWith("{")) return;
        const entry = JSON.parse(line) as { msg?: unknown; url?: unknown };
        if (entry.msg === "ready" && typeof entry.url === "string") resolve(entry.url);
      });
    });
    return new MeasuredProcess(child, url, (performance.now() - began) / 1000);
  }

  async #ask(what: Question["what"]): Promise<Reply> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise<Reply>((resolve) => {
      const onMessage = (message: unknown): void => {
        const reply = message as Reply;
        if (reply.id !== id) return;
        this.#child.off("message", onMessage);
        resolve(reply);
      };
      this.#child.on("message", onMessage);
    });
    this.#child.send({ id, what });
    return answer;
  }

  async measure(): Promise<Measured> {
    return (await this.#ask("measure")).measured;
  }

  /** A CPU profile while `work` goes on; the profiler itself costs, so its times are for shares and not for totals. */
  async profile(work: () => Promise<void>): Promise<readonly SelfTime[]> {
    await this.#ask("profile");
    await work();
    return (await this.#ask("unprofile")).selfTimes!;
  }

  /** Event-loop delay and peak memory while `work` goes on, and the CPU that it took. */
  async watch(work: () => Promise<void>): Promise<Measured> {
    const before = (await this.#ask("watch")).measured;
    await work();
    const after = (await this.#ask("unwatch")).measured;
    return { ...after, cpuSeconds: after.cpuSeconds - before.cpuSeconds };
  }

  /** CPU of the process, with nothing else switched on, while `work` goes on. */
  async cpuSecondsOf(work: () => Promise<void>): Promise<number> {
    const before = await this.measure();
    await work();
    return (await this.measure()).cpuSeconds - before.cpuSeconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 15_000);
    await exited;
    clearTimeout(timer);
  }
}
