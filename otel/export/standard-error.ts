type Level = "error" | "warn";

/** A line as `src/log.ts` has them, on stderr: what telemetry says of itself must not go the way that it speaks of. */
export function writeToStandardError(level: Level, message: string, ...details: unknown[]): void {
  const error = details.map((each) => (each instanceof Error ? each.message : String(each))).join(" ");
  process.stderr.write(
    `${JSON.stringify({ level, time: new Date().toISOString(), msg: `telemetry: ${message}`, error })}\n`,
  );
}
