import type { TextMapPropagator } from "@opentelemetry/api";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import type { PropagatorName } from "../settings/trace-settings.ts";

/** How a trace comes in and goes on. */
export interface Propagation {
  /** Null: not at all. */
  readonly propagator: TextMapPropagator | null;
  /** The headers, in small letters, by any of which a request brings a trace along. */
  readonly carriers: readonly string[];
}

/** Of Zipkin's headers either form is understood, whichever is sent; its `fields()` name the latter alone. */
const b3Carriers = ["b3", "x-b3-traceid"];

async function one(name: PropagatorName): Promise<{ propagator: TextMapPropagator; carriers: readonly string[] }> {
  if (name === "tracecontext") return { propagator: new W3CTraceContextPropagator(), carriers: ["traceparent"] };
  // It brings no trace, but what a span that begins here should know.
  if (name === "baggage") return { propagator: new W3CBaggagePropagator(), carriers: ["baggage"] };
  const { B3InjectEncoding, B3Propagator } = await import("@opentelemetry/propagator-b3");
  const injectEncoding = name === "b3" ? B3InjectEncoding.SINGLE_HEADER : B3InjectEncoding.MULTI_HEADER;
  return { propagator: new B3Propagator({ injectEncoding }), carriers: b3Carriers };
}

/** What OTEL_PROPAGATORS asks for; that of Zipkin is loaded only then. */
export async function propagationOf(names: readonly PropagatorName[]): Promise<Propagation> {
  const parts = await Promise.all(names.map(one));
  return {
    propagator:
      parts.length === 0 ? null : new CompositePropagator({ propagators: parts.map((each) => each.propagator) }),
    carriers: [...new Set(parts.flatMap((each) => each.carriers))],
  };
}
