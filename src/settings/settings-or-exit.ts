import { type Config, ConfigError } from "./config.ts";

/** The settings, or the end of the process with 2 and everything that is wrong with them on stderr. */
export function settingsOrExit(read: () => Config): Config {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}
