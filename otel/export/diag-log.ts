import { DiagLogLevel, diag } from "@opentelemetry/api";
import type { Signal } from "../api/catalogue/telemetry.ts";
import type { ExportLosses } from "./losses.ts";
import { writeToStandardError } from "./standard-error.ts";

/** Of an endpoint that answers every export like this. */
const saysEachTime = /^Export succeeded but could not deserialize response/;
const repeatedEveryMs = 60_000;

/** What the SDK says when an endpoint takes an export in part, or with a remark (OTLP 1.x, «Partial Success»). */
function readPartialSuccess(text: unknown): { signal: Signal; rejected: number; remark: string } | undefined {
  try {
    const said = JSON.parse(String(text)) as Record<string, unknown>;
    const { rejectedSpans, rejectedLogRecords, rejectedDataPoints, errorMessage } = said;
    return {
      signal: rejectedDataPoints !== undefined ? "metrics" : rejectedLogRecords !== undefined ? "logs" : "traces",
      // 64 bits are text in OTLP/JSON.
      rejected: Number(rejectedDataPoints ?? rejectedLogRecords ?? rejectedSpans ?? 0),
      remark: typeof errorMessage === "string" ? errorMessage : "",
    };
  } catch {
    return undefined; // Not what the SDK says today: then the line is written as it is.
  }
}

/**
 * Takes what the SDK has to say. What it says of each lost export is counted instead, and told once a minute.
 * @param losses of each signal
 */
export function logToStandardError(losses: Readonly<Record<Signal, ExportLosses>>): void {
  let repeatedMs = Number.NEGATIVE_INFINITY;
  const isRepeated = (): boolean => {
    const nowMs = performance.now();
    if (nowMs - repeatedMs < repeatedEveryMs) return true;
    repeatedMs = nowMs;
    return false;
  };
  const warn = (message: string, ...details: unknown[]): void => {
    // The processor's own counter has told `losses` already.
    if (/^Dropped \d+ spans because maxQueueSize reached$/.test(message)) return;
    const partial = message === "Received Partial Success response:" ? readPartialSuccess(details[0]) : undefined;
    if (partial !== undefined && partial.rejected > 0) {
      losses[partial.signal].rejected(partial.rejected, partial.remark || "the endpoint rejected them");
      return;
    }
    // All was taken, said at length.
    if (partial?.remark === "") return;
    if ((partial !== undefined || saysEachTime.test(message)) && isRepeated()) return;
    writeToStandardError("warn", message, ...details);
  };
  const error = (message: string, ...details: unknown[]): void => {
    // The exporter has the same time, and what it could not send is told to `losses`.
    if (/^PeriodicExportingMetricReader: metrics export timed out/.test(message)) return;
    writeToStandardError("error", message, ...details);
  };
  const silent = () => {};
  diag.setLogger({ error, warn, info: silent, debug: silent, verbose: silent }, DiagLogLevel.WARN);
}
