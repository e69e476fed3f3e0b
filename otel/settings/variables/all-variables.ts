import { generalVariables } from "./general-variables.ts";
import { metricVariables } from "./metric-variables.ts";
import { otlpVariables } from "./otlp-variables.ts";
import { logVariables, traceVariables } from "./trace-variables.ts";
import type { Variable } from "./variable.ts";

/**
 * Every variable of OpenTelemetry's «SDK environment variables» (specification 1.50), and of OpenTelemetry JS, with what
 * it does here: `.env.example`, docs/telemetry.md and what is said at the start follow from it.
 */
export const openTelemetryVariables: Readonly<Record<string, Variable>> = {
  ...generalVariables,
  ...metricVariables,
  ...otlpVariables,
  ...traceVariables,
  ...logVariables,
};

/** Their names, also of those that do nothing here. */
export const openTelemetryNames: readonly string[] = Object.keys(openTelemetryVariables);
