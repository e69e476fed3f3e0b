import { type Attributes, type SpanContext, SpanKind } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { spanAttributes } from "../api/span-attributes.ts";

/**
 * What a span may say. Ids of runs, datasets and artifacts are allowed, unlike in metrics; names, content, keys, owners,
 * addresses of callers and raw paths are not. So it is a list of what leaves, not of what is cut out: the next release
 * of an instrumentation may add anything.
 */
export const allowedKeys: ReadonlySet<string> = new Set([
  "http.request.method",
  "http.response.status_code",
  "http.route",
  "url.scheme",
  "network.protocol.version",
  "exception.type",
  "express.type",
  "db.system",
  "db.namespace",
  "db.response.status_code",
  ...Object.values(spanAttributes),
]);
/** Of calls that we make, the server is ours to know; of calls to us it is the Host header, which anybody writes. */
const allowedForClients: ReadonlySet<string> = new Set(["server.address", "server.port"]);

function allowed(attributes: Attributes | undefined, kind: SpanKind): Attributes {
  const kept: Attributes = {};
  // Of each span that is sent: entries would be an array for every attribute.
  for (const key in attributes) {
    if (allowedKeys.has(key) || (kind === SpanKind.CLIENT && allowedForClients.has(key))) kept[key] = attributes[key];
  }
  return kept;
}

/** Without the caller's tracestate, which may say anything; it is passed on to whom we call, and not sent. */
const idsOf = ({ traceId, spanId, traceFlags, isRemote }: SpanContext): SpanContext => ({
  traceId,
  spanId,
  traceFlags,
  ...(isRemote !== undefined && { isRemote }),
});

/** Most spans have no links and no events: an empty list is passed on as it is. */
function withAllowed<Part extends { readonly attributes?: Attributes }>(parts: Part[], kind: SpanKind): Part[] {
  if (parts.length === 0) return parts;
  return parts.map((part) => ({ ...part, attributes: allowed(part.attributes, kind) }));
}

/** The span as it may leave the process: allowed attributes only, no messages and no stack traces of faults. */
export function guardSpan(span: ReadableSpan): ReadableSpan {
  const { kind, parentSpanContext } = span;
  const spanContext = idsOf(span.spanContext());
  return {
    name: span.name,
    kind,
    spanContext: () => spanContext,
    ...(parentSpanContext && { parentSpanContext: idsOf(parentSpanContext) }),
    startTime: span.startTime,
    endTime: span.endTime,
    // A message may quote a cell or a file name; error.type and the event's exception.type say what it was.
    status: { code: span.status.code },
    attributes: allowed(span.attributes, kind),
    links: withAllowed(span.links, kind).map((link) => ({ ...link, context: idsOf(link.context) })),
    events: withAllowed(span.events, kind),
    duration: span.duration,
    ended: span.ended,
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}
