import { explainFault } from "../explain-fault.ts";
import { createLog, type Logger } from "../log.ts";
import { type Config, tellUnreadNames } from "../settings/config.ts";
import { settingsOrExit } from "../settings/settings-or-exit.ts";

/** What is called by hand, and ends. */
interface Command {
  /** @throws ConfigError, which ends the process with 2 and all that is wrong */
  readonly readSettings: () => Config;
  /** Its fault ends the process with 1; it may say so itself by `process.exitCode`. */
  readonly work: (config: Config, log: Logger) => Promise<void>;
  /** Words for the log where nobody foresaw the fault. */
  readonly failed: string;
  /** Follows the line about a fault that its operator can mend: what was left as it is. */
  readonly afterFault?: (() => string) | undefined;
  /** Where stdout is what the command makes. */
  readonly logsToStderr?: boolean;
}

/** What the command line says, or the end of the process with 2 and the usage on stderr where `read` throws or says nothing. */
export function optionsOrExit<Options>(usage: string, read: () => Options | undefined): Options {
  try {
    const options = read();
    if (options !== undefined) return options;
  } catch {
    // An unknown option: the usage says which there are.
  }
  process.stderr.write(usage);
  process.exit(2);
}

/** Runs a command to its end: settings, log, work, and one line on stderr about a fault that somebody can mend. */
export async function runCommand({ readSettings, work, failed, afterFault, logsToStderr }: Command): Promise<void> {
  const config = settingsOrExit(readSettings);
  const log = createLog(config.logLevel, logsToStderr ? { destination: process.stderr } : {});
  tellUnreadNames(log, process.env);
  try {
    await work(config, log);
  } catch (error) {
    const line = explainFault(error, config);
    if (line === undefined) log.fatal({ err: error }, failed);
    else process.stderr.write(`${[line, afterFault?.()].filter(Boolean).join(" ")}\n`);
    process.exitCode = 1;
  }
}
