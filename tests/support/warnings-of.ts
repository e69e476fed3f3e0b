import type { RunningService } from "./service.ts";

/** What the log of a service has warned of so far. */
export const warningsOf = ({ lines }: RunningService): string[] =>
  lines
    .map((line) => JSON.parse(line) as { level: string; msg: string })
    .flatMap(({ level, msg }) => (level === "warn" ? [msg] : []));
