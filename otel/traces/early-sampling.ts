import { EventEmitter } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import { ROOT_CONTEXT, SpanKind } from "@opentelemetry/api";
import { type IdGenerator, RandomIdGenerator, type Sampler, SamplingDecision } from "@opentelemetry/sdk-trace";

/** Decides on a request before there is a span, and lets those that are not traced pass untouched. */
export interface EarlySampling {
  /** Takes the decisions made here, and makes all others by `root`. */
  readonly sampler: Sampler;
  /** Gives a request that is kept the very trace id that was decided on, so that others who sample by it agree. */
  readonly ids: IdGenerator;
  /** Requests of this server that are not traced do not meet the instrumentation. */
  attach(server: Server): void;
}

/**
 * The official instrumentation binds every listener of request and response to a context before it asks whether the
 * request is kept: with one request of a hundred kept, that was most of what tracing cost the other 99
 * (docs/adr/0012-spans-by-the-official-instrumentations.md). A request that brings a trace along takes the official way.
 * @param root decides where no caller has
 * @param isUntraced requests that are never traced
 * @param carriers headers, in small letters, by any of which a request brings a trace along
 */
export function sampleEarly(
  root: Sampler,
  isUntraced: (request: IncomingMessage) => boolean,
  carriers: readonly string[],
): EarlySampling {
  const random = new RandomIdGenerator();
  // The instrumentation makes the span in the same turn, right after the decision: nobody comes in between.
  let isDecided = false;
  let decidedId: string | undefined;
  const bringsTrace = ({ headers }: IncomingMessage): boolean => carriers.some((name) => headers[name] !== undefined);
  const keeps = (request: IncomingMessage): boolean => {
    isDecided = false;
    decidedId = undefined;
    if (isUntraced(request)) return false;
    if (bringsTrace(request)) return true;
    const traceId = random.generateTraceId();
    const { decision } = root.shouldSample(ROOT_CONTEXT, traceId, "request", SpanKind.SERVER, {}, []);
    isDecided = decision === SamplingDecision.RECORD_AND_SAMPLED;
    if (isDecided) decidedId = traceId;
    return isDecided;
  };
  return {
    sampler: {
      shouldSample(context, traceId, name, kind, attributes, links) {
        if (!isDecided || kind !== SpanKind.SERVER)
          return root.shouldSample(context, traceId, name, kind, attributes, links);
        isDecided = false;
        return { decision: SamplingDecision.RECORD_AND_SAMPLED };
      },
      toString: () => `EarlySampling{${root.toString()}}`,
    },
    ids: {
      generateTraceId() {
        const id = decidedId ?? random.generateTraceId();
        decidedId = undefined;
        return id;
      },
      generateSpanId: () => random.generateSpanId(),
    },
    attach(server) {
      // The instrumentation has patched it on the prototype; here it is this server's own.
      const traced = server.emit;
      // biome-ignore lint/suspicious/noExplicitAny: arguments of any event
      server.emit = function emit(this: Server, event: any, ...given: any[]): boolean {
        const isPassed = event === "request" && !keeps(given[0] as IncomingMessage);
        return (isPassed ? EventEmitter.prototype.emit : traced).call(this, event, ...given);
      };
    },
  };
}
