import { type Attributes, context, type Link, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { guarded } from "../../otel/instruments.ts";
import { type SpanFacts, spanAttributes } from "../../otel/span-attributes.ts";

// The API alone: without traces its tracer makes spans that are nothing, and `context.with` is a call.
const tracer = trace.getTracer("mlops-backend");

/** What our own spans are called. */
type SpanName =
  | "dataset receive"
  | "dataset check"
  | "dataset store"
  | "dataset profile"
  | "prediction"
  | "ttl cycle"
  | "ttl dataset"
  | "training attempt"
  | "training load"
  | "training fit"
  | "training evaluate"
  | "training save";

function attributesOf(facts: SpanFacts): Attributes {
  const attributes: Attributes = {};
  for (const [fact, value] of Object.entries(facts))
    if (value !== undefined) attributes[spanAttributes[fact as keyof SpanFacts]] = value;
  return attributes;
}

/** The stable code of a fault, else its class; never its message, which may quote what somebody sent. */
function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return "other";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/** Says of a span what became known after its begin. */
export function describeSpan(span: Span, facts: SpanFacts): void {
  guarded(() => span.setAttributes(attributesOf(facts)));
}

/** Ends a span with the fault that its work ended with. */
export function failSpan(span: Span, error: unknown): void {
  describeSpan(span, { errorType: errorTypeOf(error) });
  guarded(() => span.setStatus({ code: SpanStatusCode.ERROR }));
}

/** How a span begins. */
interface SpanStart {
  readonly kind?: SpanKind;
  /** Other traces that this one has to do with. */
  readonly links?: readonly Link[];
  /** Milliseconds of Unix time, when it began earlier. */
  readonly startedMs?: number | undefined;
}

/** Does a piece of work within a span; what it throws goes on, and makes the span a failed one. */
export function withSpan<Value>(
  name: SpanName,
  facts: SpanFacts,
  work: (span: Span) => Promise<Value>,
  { kind = SpanKind.INTERNAL, links = [], startedMs }: SpanStart = {},
): Promise<Value> {
  const options = { kind, links: [...links], attributes: attributesOf(facts) };
  const start = startedMs === undefined ? options : { ...options, startTime: startedMs };
  return tracer.startActiveSpan(name, start, (span) => endingWith(span, () => work(span)));
}

/** Runs `work` and ends the span after it. */
export async function endingWith<Value>(span: Span, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    guarded(() => span.end());
  }
}

/** A statement of the embedded database, which no instrumentation knows; only within a trace, since the queue polls. */
export function statementSpan(operation: string, durationMs: number, error: unknown): void {
  if (trace.getActiveSpan()?.isRecording() !== true) return;
  const endedMs = Date.now();
  const span = tracer.startSpan(`pglite ${operation}`, {
    kind: SpanKind.CLIENT,
    startTime: endedMs - durationMs,
    attributes: attributesOf({ database: "postgresql", databaseOperation: operation }),
  });
  if (error !== undefined) failSpan(span, error);
  span.end(endedMs);
}

/** For a caller to quote: the trace that the active span belongs to; undefined without traces. */
export function activeTraceId(): string | undefined {
  return trace.getSpan(context.active())?.spanContext().traceId;
}
