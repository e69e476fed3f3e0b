import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/**
 * One JSON object a line on stdout. Secrets and content never reach a line: what could hold them is cut out by path.
 * @param level one of pino's level names, or `silent`
 */
export function createLog(level: string): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ["authorization", "headers.authorization", "headers.cookie", "apiKey", "body", "fileName", "databaseUrl"],
  });
}
