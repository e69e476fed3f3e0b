import type { TelemetrySettings } from "../telemetry-settings.ts";

/** What has to be asked for before a variable can do anything, with the words for where it is not. */
export const conditions = {
  traces: "no endpoint for traces is set, or OTEL_TRACES_EXPORTER is none",
  logs: "no endpoint for logs is set, or OTEL_LOGS_EXPORTER is none",
  "traces or logs": "neither traces nor logs are sent",
  "metrics by otlp": "OTEL_METRICS_EXPORTER has no otlp",
  "metrics that are sent": "OTEL_METRICS_EXPORTER has neither otlp nor console",
  "anything by otlp": "nothing is sent by OTLP",
  "/metrics": "OTEL_METRICS_EXPORTER or PROMETHEUS__ENABLED has switched /metrics off",
} as const;
export type Condition = keyof typeof conditions;

/** Where a variable stands in `.env.example`; its place in docs/telemetry.md, too. */
export const sections = ["OpenTelemetry", "Metrics", "Sending", "Traces", "Logs"] as const;

/** A variable of OpenTelemetry's, and what it does here. */
export interface Variable {
  readonly section: (typeof sections)[number];
  /** What it does; of one that does nothing, why. */
  readonly about: string;
  /** Its default, or a value as an example, for `.env.example`; undefined: it is not shown there. */
  readonly value?: string;
  /** Undefined: whatever else is set. `nothing`: it is read, and named at the start if it is set. */
  readonly needs?: Condition | "nothing";
  /** What of a value is not followed, in a few words; undefined where all of it is. */
  readonly leavesOut?: (
    value: string,
    parts: { settings: TelemetrySettings; env: NodeJS.ProcessEnv },
  ) => string | undefined;
}

/** The parts of a list with commas. */
export const listOf = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
