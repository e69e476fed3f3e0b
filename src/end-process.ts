import type { EndWish } from "./end-wish.ts";
import { explainFault } from "./explain-fault.ts";
import type { Logger } from "./log.ts";
import type { Config } from "./settings/config.ts";
import { endedWithin } from "./store/bounded-pool.ts";

/** A stop that is in order is over that long after its grace, also where the way to PostgreSQL is cut. */
const longestGoodbyesMs = 20_000;
/** What a start is at when it is to end, such as a migration, gets that long; nothing half made hinders the next one. */
const longestBreakOffMs = 10_000;

/** What a process is told and asked by. */
interface Life {
  readonly config: Config;
  readonly end: EndWish;
  readonly log: Logger;
  /** Undefined where nothing is measured. */
  readonly telemetry: { shutdown(): Promise<void> } | undefined;
}

interface Stoppable {
  stop(): Promise<void>;
}

/** Ends it as asked, in order and in time. @returns the exit code */
export async function stopInOrder({ config, end, log }: Life, service: Stoppable): Promise<number> {
  try {
    if (await endedWithin(service.stop(), config.shutdownGraceSeconds * 1000 + longestGoodbyesMs)) {
      log.info("stopped");
      return end.exitCode();
    }
    log.error("stopping takes too long: ending as it is");
  } catch (error) {
    log.error({ err: error }, "stopping failed");
  }
  return 1;
}

/** Ends a start that is not needed any more. @returns the exit code */
export async function breakOff({ end, log }: Life, starting: Promise<Stoppable>): Promise<number> {
  const brokenOff = starting.then(
    (service) => service.stop(),
    () => {}, // That it was to end, or what it failed by meanwhile.
  );
  try {
    const hasEnded = await endedWithin(brokenOff, longestBreakOffMs);
    log.info(hasEnded ? "stopped before it was ready" : "stopped before it was ready, in the middle of a step");
    return end.exitCode();
  } catch (error) {
    log.error({ err: error }, "stopping failed");
    return 1;
  }
}

/** Tells why a start failed, in the one line that names what to do where there is one. @returns the exit code */
export async function failStart({ config, log, telemetry }: Life, error: unknown): Promise<number> {
  const reason = explainFault(error, config);
  if (reason !== undefined) process.stderr.write(`${reason}\n`);
  log.fatal(reason === undefined ? { err: error } : { reason }, "start failed");
  // A few seconds at most; its faults are its own.
  await telemetry?.shutdown().catch(() => {});
  return 1;
}
