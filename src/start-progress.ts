import type { Logger } from "./log.ts";

/** What a start tells of itself while somebody waits for it, and when it need not go on. */
export interface StartProgress {
  /** Something that takes long begins; one line. */
  say(line: string): void;
  /** Aborted when the process is to end: what waits need not wait any more. */
  readonly ended: AbortSignal;
  /**
   * Does a part of the start; says what it is when it takes longer than three seconds and somebody waits for it.
   * @throws when the process is to end
   */
  step<Value>(what: string, work: () => Promise<Value>): Promise<Value>;
}

const longMs = 3_000;

/** Tells the log, and people at a terminal, whose log level may hide it. */
export function tellProgress(log: Logger, ended: AbortSignal): StartProgress {
  const say = (line: string): void => {
    log.info(`starting: ${line}`);
    if (process.stdout.isTTY) process.stdout.write(`Starting: ${line}\n`);
  };
  return {
    say,
    ended,
    async step(what, work) {
      ended.throwIfAborted();
      const timer = setTimeout(() => {
        if (!ended.aborted) say(`${what} takes long`);
      }, longMs);
      try {
        return await work();
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** For whoever opens a part alone: nobody is told. */
export const untoldProgress: StartProgress = {
  say: () => {},
  ended: new AbortController().signal,
  step: (_what, work) => work(),
};
