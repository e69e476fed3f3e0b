import type { Logger } from "./log.ts";

/** What asks a process to end in order; SIGKILL, which nobody hears, aside. */
const signals = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const;

/** npm passes on the SIGINT that the terminal has sent to us as well: so long a second one is the same wish (ADR 0023). */
const sameWishMs = 2_000;

/** That the process is to end, whoever wants it, from the first moment of its start. */
export interface EndWish {
  /** Aborted with the first wish. */
  readonly signal: AbortSignal;
  /** With what the process ends when all is in order: 0 where somebody asked for it, 1 after a fault of ours. */
  exitCode(): 0 | 1;
  /** The log can't be written any more: whoever read it has gone. Nobody else would see a service without one. */
  logIsLost(error: unknown): void;
}

/**
 * Hears signals, faults that nobody caught, and the end of who reads the log. Each is told once and lets the process end in
 * order; a signal that comes later than two seconds after the first one ends it at once, with 1.
 */
export function hearEndWish(log: () => Logger): EndWish {
  const wish = new AbortController();
  let exitCode: 0 | 1 = 0;
  let isLater = false;

  const begin = (): void => {
    if (wish.signal.aborted) return;
    wish.abort(new Error("The process is to end."));
    // After a standstill of the event loop this turn's signals are heard between timer and immediate.
    setTimeout(() => setImmediate(() => (isLater = true)), sameWishMs).unref();
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!wish.signal.aborted) log().info({ signal }, "stopping");
    else if (isLater) {
      log().warn({ signal }, "asked again: ending at once");
      process.exit(1);
    }
    begin();
  };
  const onFault = (error: unknown): void => {
    exitCode = 1;
    log().fatal({ err: error }, "a fault that nobody caught: stopping");
    begin();
  };
  const logIsLost = (error: unknown): void => {
    if (wish.signal.aborted) return;
    exitCode = 1;
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    process.stderr.write(`The log can't be written any more, whoever read stdout has gone (${code}): stopping.\n`);
    begin();
  };

  for (const signal of signals) process.on(signal, onSignal);
  process.on("uncaughtException", onFault);
  process.on("unhandledRejection", onFault);
  process.stdout.on("error", logIsLost);
  // Nobody is left to be told.
  process.stderr.on("error", () => {});
  return { signal: wish.signal, exitCode: () => exitCode, logIsLost };
}
