import { type Attributes, type Logger, SeverityNumber } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { guarded, meterName } from "../api/instruments.ts";
import { type BatchSettings, batchOf } from "../settings/otlp-settings.ts";
import type { ExportLosses } from "./losses.ts";
import { logExporter } from "./otlp-exporters.ts";

/** Logs, being sent. */
export interface LogExport {
  /** Takes a line as it is on stdout; never throws and never waits. */
  write(line: string): void;
  /** Sends what waits, for a few seconds at most. */
  shutdown(): Promise<void>;
}

const severities: Readonly<Record<string, SeverityNumber>> = {
  trace: SeverityNumber.TRACE,
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  fatal: SeverityNumber.FATAL,
};

/** A line of `src/log.ts`. */
interface Line {
  readonly level: string;
  readonly time: string;
  readonly msg?: string;
  readonly err?: { readonly type?: string; readonly message?: string; readonly stack?: string; readonly code?: string };
  readonly [field: string]: unknown;
}

function emit(logger: Logger, line: string): void {
  // The record takes the trace from the active context: the ids in the line are the same.
  const { level, time, msg, err, trace_id, span_id, trace_flags, ...fields } = JSON.parse(line) as Line;
  const timeMs = Date.parse(time);
  const attributes = fields as Attributes;
  if (err !== undefined) {
    attributes["exception.type"] = err.type;
    attributes["exception.message"] = err.message;
    attributes["exception.stacktrace"] = err.stack;
    if (attributes.code === undefined) attributes.code = err.code;
  }
  logger.emit({
    timestamp: timeMs,
    observedTimestamp: timeMs,
    severityNumber: severities[level] ?? SeverityNumber.UNSPECIFIED,
    severityText: level,
    body: msg,
    attributes,
  });
}

/**
 * Sends log lines by OTLP, in batches and in the background. The queue is bounded: while the endpoint is slow or away,
 * memory does not grow, and what has no room is counted as dropped; stdout has every line all the same.
 */
export async function startLogExport(
  settings: BatchSettings,
  resource: Resource,
  losses: ExportLosses,
): Promise<LogExport> {
  const provider = new LoggerProvider({
    resource,
    logRecordLimits: settings.limits,
    processors: [
      new BatchLogRecordProcessor({
        ...batchOf(settings),
        exporter: losses.guard(await logExporter(settings)),
        selfObsMeterProvider: losses.meterProvider,
      }),
    ],
  });
  const logger = provider.getLogger(meterName);
  return {
    write: (line) =>
      guarded(() => {
        losses.taken();
        emit(logger, line);
      }),
    shutdown: () => losses.settle(provider.shutdown()),
  };
}
