import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { gunzipSync } from "node:zlib";
import protobuf from "protobufjs";
import { metricsDefinition, metricsOf, type ReceivedMetric } from "./otlp-metrics.ts";
import { attributesOf, type Json, plainValue, type Value } from "./otlp-values.ts";
import { eventually } from "./service.ts";

/** Of opentelemetry-proto 1.x (trace/v1, logs/v1, resource/v1, common/v1), as far as tests look. */
const definition = `
syntax = "proto3";${metricsDefinition}
message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message Scope { string name = 1; string version = 2; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
  int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  repeated Event events = 11; repeated Link links = 13; Status status = 15;
}
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; }
message Status { string message = 2; int32 code = 3; }
message ExportLogsServiceRequest { repeated ResourceLogs resource_logs = 1; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; }
message LogRecord {
  fixed64 time_unix_nano = 1; int32 severity_number = 2; string severity_text = 3; AnyValue body = 5;
  repeated KeyValue attributes = 6; bytes trace_id = 9; bytes span_id = 10;
}
message ExportResponse { PartialSuccess partial_success = 1; }
message PartialSuccess { int64 rejected = 1; string error_message = 2; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue {
  oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; }
}
message ArrayValue { repeated AnyValue values = 1; }
`;
const { root } = protobuf.parse(definition);
const traceRequest = root.lookupType("ExportTraceServiceRequest");
const logsRequest = root.lookupType("ExportLogsServiceRequest");
const metricsRequest = root.lookupType("ExportMetricsServiceRequest");
const exportResponse = root.lookupType("ExportResponse");

/** A span as it arrived. */
export interface ReceivedSpan {
  readonly name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  /** Nanoseconds of Unix time as text, all of one length: a number has no room for them. */
  readonly startNanos: string;
  readonly attributes: Record<string, Value>;
  readonly events: { readonly name: string; readonly attributes: Record<string, Value> }[];
  readonly links: { readonly traceId: string; readonly spanId: string; readonly attributes: Record<string, Value> }[];
  /** Of the span and of its links, those that are not empty. */
  readonly traceStates: string[];
  /** 0 unset, 1 ok, 2 error. */
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly scope: string;
  readonly resource: Record<string, Value>;
}

/** A line of the log as it arrived. */
export interface ReceivedLog {
  readonly timeMs: number;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: Value;
  readonly attributes: Record<string, Value>;
  /** Empty outside of a trace. */
  readonly traceId: string;
  readonly spanId: string;
  readonly resource: Record<string, Value>;
}

function spansOf(request: Json, idOf: (id: string | undefined) => string): ReceivedSpan[] {
  return (request.resourceSpans ?? []).flatMap((ofResource: Json) =>
    (ofResource.scopeSpans ?? []).flatMap((ofScope: Json) =>
      (ofScope.spans ?? []).map(
        (span: Json): ReceivedSpan => ({
          name: span.name,
          kind: span.kind ?? 0,
          traceId: idOf(span.traceId),
          spanId: idOf(span.spanId),
          parentSpanId: idOf(span.parentSpanId),
          startNanos: String(span.startTimeUnixNano ?? 0).padStart(20, "0"),
          attributes: attributesOf(span.attributes),
          events: (span.events ?? []).map((event: Json) => ({
            name: event.name,
            attributes: attributesOf(event.attributes),
          })),
          links: (span.links ?? []).map((link: Json) => ({
            traceId: idOf(link.traceId),
            spanId: idOf(link.spanId),
            attributes: attributesOf(link.attributes),
          })),
          traceStates: [span, ...(span.links ?? [])].flatMap((one: Json) => one.traceState || []),
          statusCode: span.status?.code ?? 0,
          statusMessage: span.status?.message ?? "",
          scope: ofScope.scope?.name ?? "",
          resource: attributesOf(ofResource.resource?.attributes),
        }),
      ),
    ),
  );
}

function logsOf(request: Json, idOf: (id: string | undefined) => string): ReceivedLog[] {
  return (request.resourceLogs ?? []).flatMap((ofResource: Json) =>
    (ofResource.scopeLogs ?? []).flatMap((ofScope: Json) =>
      (ofScope.logRecords ?? []).map(
        (record: Json): ReceivedLog => ({
          timeMs: Number(BigInt(record.timeUnixNano ?? 0) / 1_000_000n),
          severityNumber: record.severityNumber ?? 0,
          severityText: record.severityText ?? "",
          body: plainValue(record.body),
          attributes: attributesOf(record.attributes),
          traceId: idOf(record.traceId),
          spanId: idOf(record.spanId),
          resource: attributesOf(ofResource.resource?.attributes),
        }),
      ),
    ),
  );
}

/** Protobuf has its ids as bytes (base64 here), JSON as hexadecimal text. */
function decode<Item>(
  body: Buffer,
  contentType: string,
  type: protobuf.Type,
  itemsOf: (request: Json, idOf: (id: string | undefined) => string) => Item[],
): Item[] {
  if (contentType.startsWith("application/json")) return itemsOf(JSON.parse(body.toString("utf8")), (id) => id ?? "");
  const message = type.toObject(type.decode(body), { bytes: String, longs: String });
  return itemsOf(message, (id) => Buffer.from(id ?? "", "base64").toString("hex"));
}

const protobufType = "application/x-protobuf";
/** What an export in protobuf holds; gRPC sends the same. */
export const inProtobuf = {
  spans: (body: Buffer): ReceivedSpan[] => decode(body, protobufType, traceRequest, spansOf),
  logs: (body: Buffer): ReceivedLog[] => decode(body, protobufType, logsRequest, logsOf),
  metrics: (body: Buffer): ReceivedMetric[] => decode(body, protobufType, metricsRequest, metricsOf),
};

/** What an export gets: an answer, or `hang` for none. Of what is taken the first ones may be rejected («Partial Success»). */
export type ReceiverAnswer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly rejected?: number }
  | "hang";

/** All signals have the same answer in protobuf, and in JSON the field is named after the signal. */
function bodyOf(contentType: string, path: string, rejected: number): string | Uint8Array {
  const errorMessage = "not these";
  if (!contentType.startsWith("application/json"))
    return rejected === 0
      ? ""
      : exportResponse.encode(exportResponse.fromObject({ partialSuccess: { rejected, errorMessage } })).finish();
  const field = { logs: "rejectedLogRecords", metrics: "rejectedDataPoints" }[path.split("/").at(-1) ?? ""];
  const count = { [field ?? "rejectedSpans"]: String(rejected) };
  return JSON.stringify(rejected === 0 ? {} : { partialSuccess: { ...count, errorMessage } });
}

/** Takes OTLP traces, logs and metrics over HTTP, in protobuf and JSON, and keeps what it could decode. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly logs: ReceivedLog[] = [];
  /** Each export of metrics, whole. */
  readonly metrics: ReceivedMetric[][] = [];
  /** Content types of the exports so far, whatever they were answered. */
  readonly contentTypes: string[] = [];
  /** Path and headers of each of them. */
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders }[] = [];
  /** When each of them came, by performance.now(). */
  readonly arrivalsMs: number[] = [];
  /** What the next exports get; what a refused one held is not kept. */
  answer: ReceiverAnswer = { status: 200 };
  readonly #server;
  readonly #scheme;
  #port = 0;

  private constructor(tls: { key: string; cert: string } | undefined) {
    const take = (request: IncomingMessage, response: ServerResponse) => this.#take(request, response);
    this.#server = tls === undefined ? createServer(take) : createTlsServer(tls, take);
    this.#scheme = tls === undefined ? "http" : "https";
  }

  /** On a free port, or on the one that an earlier receiver had. */
  static async start(port = 0, tls?: { key: string; cert: string }): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver(tls);
    receiver.#server.listen(port, "127.0.0.1");
    await once(receiver.#server, "listening");
    const address = receiver.#server.address();
    receiver.#port = typeof address === "object" && address !== null ? address.port : 0;
    return receiver;
  }

  get port(): number {
    return this.#port;
  }

  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}`;
  }

  /** Waits for the spans that `find` wants; gives what it makes of them. */
  async until<Found>(find: (spans: readonly ReceivedSpan[]) => Found | undefined | false): Promise<Found> {
    return eventually(async () => find(this.spans));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const contentType = request.headers["content-type"] ?? "";
    this.arrivalsMs.push(performance.now());
    this.contentTypes.push(contentType);
    this.requests.push({ path: request.url ?? "", headers: request.headers });
    if (this.answer === "hang") return;
    const { status, headers = {}, rejected = 0 } = this.answer;
    const path = request.url ?? "";
    if (status === 200) {
      const sent = Buffer.concat(chunks);
      const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
      if (path.endsWith("/v1/metrics")) this.metrics.push(decode(body, contentType, metricsRequest, metricsOf));
      else if (path.endsWith("/v1/logs"))
        this.logs.push(...decode(body, contentType, logsRequest, logsOf).slice(rejected));
      else this.spans.push(...decode(body, contentType, traceRequest, spansOf).slice(rejected));
    }
    response.writeHead(status, { ...headers, "Content-Type": contentType });
    response.end(bodyOf(contentType, path, rejected));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server, "close");
  }
}
