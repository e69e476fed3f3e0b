import { type Link, type Span, SpanKind, TraceFlags, trace } from "@opentelemetry/api";
import { describeSpan, inNewTrace, ofRun, withSpan } from "../monitoring/spans.ts";

/** Of the messaging conventions. */
const messaging = "pg-boss";

/** The active span as W3C trace context has it (version 00); undefined without traces. Nothing of a caller is in it. */
export function activeTraceparent(): string | undefined {
  const active = trace.getActiveSpan()?.spanContext();
  if (active === undefined) return undefined;
  return `00-${active.traceId}-${active.spanId}-${(active.traceFlags & TraceFlags.SAMPLED) === 0 ? "00" : "01"}`;
}

/** A link to the span that a stored trace context names; none for what is absent or damaged. */
export function linkTo(traceparent: unknown): Link[] {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])$/.exec(String(traceparent)) ?? [];
  if (traceId === undefined || spanId === undefined) return [];
  return [{ context: { traceId, spanId, traceFlags: Number(flags), isRemote: true } }];
}

/** The run that a job is about, where it is about one. */
export const runIdOf = (data: Record<string, unknown>): string | undefined =>
  typeof data.runId === "string" ? data.runId : undefined;

/** Sends a job within a span, and gives it the context of that span to take along. */
export function sendTraced(
  queue: string,
  data: Record<string, unknown>,
  send: (data: Record<string, unknown>) => Promise<string | null>,
): Promise<void> {
  const runId = runIdOf(data);
  const facts = { messaging, messagingOperation: "send", messagingOperationType: "send", queue };
  return ofRun(runId, () =>
    withSpan(
      `send ${queue}`,
      facts,
      async (span) => {
        const traceparent = activeTraceparent();
        const id = await send(traceparent === undefined ? data : { ...data, traceparent });
        if (id !== null) describeSpan(span, { jobId: id });
      },
      { kind: SpanKind.PRODUCER },
    ),
  );
}

/**
 * Works on a job in a trace of its own: it may have waited for hours. A link leads to the trace that sent it. Whoever
 * woke this worker may be in a trace himself, which must not become ours.
 */
export function processTraced<Value>(
  queue: string,
  { id, data }: { readonly id: string; readonly data: Record<string, unknown> },
  work: (span: Span) => Promise<Value>,
): Promise<Value> {
  const facts = { messaging, messagingOperation: "process", messagingOperationType: "process", queue, jobId: id };
  return inNewTrace(runIdOf(data), () =>
    withSpan(`process ${queue}`, facts, work, {
      kind: SpanKind.CONSUMER,
      beginsTrace: true,
      links: linkTo(data.traceparent),
    }),
  );
}
