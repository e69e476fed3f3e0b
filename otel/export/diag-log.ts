import { DiagLogLevel, diag } from "@opentelemetry/api";
import type { Signal } from "../api/catalogue/telemetry.ts";
import type { ExportLosses } from "./losses.ts";
import { writeToStandardError } from "./standard-error.ts";

/** Of an endpoint that answers every export like this. */
const saysEachTime = /^Export succeeded but could not deserialize response/;

/** Of each span and line with more than one of the limits allows. */
const limitReached = /^(Dropping extra attributes\.|No events allowed\.|Dropped \d+ (events|links) because )/;

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
 * Takes what the SDK has to say. What it says of each lost export is counted instead, and told once a minute; what an
 * endpoint remarks of exports that it takes is told when it begins to.
 * @param losses of each signal
 */
export function logToStandardError(losses: Readonly<Record<Signal, ExportLosses>>): void {
  const limits = new Set<string>();
  // What is remarked of an export comes right before its success, which says whose it is.
  let remark: { readonly kind: string; readonly write: () => void } | undefined;
  for (const ofSignal of Object.values(losses)) {
    let before: string | undefined;
    ofSignal.afterSuccess(() => {
      const now = remark;
      remark = undefined;
      if (now?.kind !== before) now?.write();
      before = now?.kind;
    });
  }
  const warn = (message: string, ...details: unknown[]): void => {
    // The processor's own counter has told `losses` already.
    if (/^Dropped \d+ spans because maxQueueSize reached$/.test(message)) return;
    if (limitReached.test(message)) {
      const kind = message.replace(/\d+/, "some");
      if (!limits.has(kind)) writeToStandardError("warn", kind, "a limit (OTEL_…_LIMIT) is reached; told once");
      limits.add(kind);
      return;
    }
    const partial = message === "Received Partial Success response:" ? readPartialSuccess(details[0]) : undefined;
    if (partial !== undefined && partial.rejected > 0) {
      losses[partial.signal].rejected(partial.rejected, partial.remark || "the endpoint rejected them");
      return;
    }
    // All was taken, said at length.
    if (partial?.remark === "") return;
    const write = (): void => writeToStandardError("warn", message, ...details);
    // Of whatever words: one may put a time into each.
    if (partial !== undefined) remark = { kind: "a remark", write };
    else if (saysEachTime.test(message)) remark = { kind: "unreadable", write };
    else write();
  };
  const error = (message: string, ...details: unknown[]): void => {
    // The exporter has the same time, and what it could not send is told to `losses`.
    if (/^PeriodicExportingMetricReader: metrics export timed out/.test(message)) return;
    writeToStandardError("error", message, ...details);
  };
  const silent = () => {};
  diag.setLogger({ error, warn, info: silent, debug: silent, verbose: silent }, DiagLogLevel.WARN);
}
