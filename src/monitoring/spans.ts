import {
  type Attributes,
  context,
  INVALID_SPAN_CONTEXT,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { guarded } from "../../otel/api/instruments.ts";
import {
  type RunOfContext,
  runKey,
  type SpanFacts,
  spanAttributes,
  type spanNames,
} from "../../otel/api/span-attributes.ts";

// The API alone: without traces its tracer makes spans that are nothing, and `context.with` is a call.
const tracer = trace.getTracer("mlops-backend");

/** What our own spans are called. */
type SpanName = (typeof spanNames)[number] | `send ${string}` | `process ${string}`;

function attributesOf(facts: SpanFacts): Attributes {
  const attributes: Attributes = {};
  for (const [fact, value] of Object.entries(facts))
    if (value !== undefined) attributes[spanAttributes[fact as keyof SpanFacts]] = value;
  return attributes;
}

/** The stable code of a fault, else its class; never its message, which may quote what somebody sent. */
function errorTypeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "other";
  if ("code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.name : "other";
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
  /** It is the first of a trace where there is none, e.g. of a job. */
  readonly beginsTrace?: boolean;
  /** Milliseconds of Unix time, when it began earlier. */
  readonly startedMs?: number | undefined;
}

/** Takes what is said of a span that is not made. */
const noSpan = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/**
 * Does a piece of work within a span; what it throws goes on, and makes the span a failed one. Only what says so
 * begins a trace: a step of a request that is not traced would else be sampled as one of its own.
 */
export function withSpan<Value>(
  name: SpanName,
  facts: SpanFacts,
  work: (span: Span) => Promise<Value>,
  { kind = SpanKind.INTERNAL, links = [], beginsTrace = false, startedMs }: SpanStart = {},
): Promise<Value> {
  if (!beginsTrace && trace.getActiveSpan() === undefined) return work(noSpan);
  const options = { kind, links: [...links], attributes: attributesOf(facts) };
  const start = startedMs === undefined ? options : { ...options, startTime: startedMs };
  return tracer.startActiveSpan(name, start, (span) => endingWith(span, () => work(span)));
}

/** Runs `work` and ends the span after it. */
async function endingWith<Value>(span: Span, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    guarded(() => span.end());
  }
}

/**
 * Makes spans of work that is over, e.g. in a process that trains, which has no tracer, below the span that is active
 * now, whenever it is called; times in milliseconds of Unix time.
 */
export function pastSpans(): (name: SpanName, facts: SpanFacts, startedMs: number, endedMs: number) => void {
  const parent = context.active();
  return (name, facts, startedMs, endedMs) =>
    guarded(() =>
      tracer.startSpan(name, { startTime: startedMs, attributes: attributesOf(facts) }, parent).end(endedMs),
    );
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

/** Facts about the span that is active now, e.g. the request's. */
export function describeActiveSpan(facts: SpanFacts): void {
  const span = trace.getActiveSpan();
  if (span !== undefined) describeSpan(span, facts);
}

/** Every span of `work`, statements of the database included, says that it belongs to that run. */
export function ofRun<Value>(runId: string | undefined, work: () => Value): Value {
  if (runId === undefined) return work();
  return ofRunToBeNamed((name) => {
    name(runId);
    return work();
  });
}

/** The same where `work` itself finds out which run it is: spans say it from when `name` was called. */
export function ofRunToBeNamed<Value>(work: (name: (runId: string) => void) => Value): Value {
  const run: RunOfContext = { id: undefined };
  const name = (runId: string): void => {
    run.id = runId;
  };
  return context.with(context.active().setValue(runKey, run), () => work(name));
}

/**
 * Statements of `work` make no spans: they belong to nobody who is in a trace, or there would be thousands of them.
 * What it waits for goes on outside of the trace; who awaits it does not.
 */
export function outsideOfTraces<Value>(work: () => Value): Value {
  return context.with(ROOT_CONTEXT, work);
}

/** Spans of `work` belong to no trace that is under way. */
export function inNewTrace<Value>(runId: string | undefined, work: () => Value): Value {
  return outsideOfTraces(() => ofRun(runId, work));
}

/** For a caller to quote: the trace that the active span belongs to; undefined without traces. */
export function activeTraceId(): string | undefined {
  return trace.getSpan(context.active())?.spanContext().traceId;
}
