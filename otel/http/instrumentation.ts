import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Meter } from "@opentelemetry/api";
import { InstrumentationBase, type InstrumentationConfig } from "@opentelemetry/instrumentation";
import { rememberedSpan } from "../api/exemplars.ts";
import type { HttpRecorder } from "../api/http-recorder.ts";
import { measurementFailed, meterName } from "../api/instruments.ts";
import { endOfAnswer, isCallersFault } from "../api/request-end.ts";
import { isMeasured, measurementKey, routeLabelOf, sentBytesOf } from "../api/route-template.ts";

const startChannel = "http.server.request.start";

interface StartMessage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly server: Server;
}

/** What is known of one request until it closes. */
interface Measurement {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly server: Server;
  readonly startedMs: number;
  readonly showsActive: boolean;
  readonly recorder: HttpRecorder;
  requestBytes: number;
  responseBytes: number;
  unsentBytes: number;
}
interface Measured {
  [measurementKey]?: Measurement;
}

function sizeOf(chunk: unknown, encoding: unknown): number {
  if (typeof chunk === "string")
    return Buffer.byteLength(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8");
  return ArrayBuffer.isView(chunk) ? chunk.byteLength : 0;
}

// Bodies are counted on the single message: `socket.bytesRead` and `bytesWritten` include headers and chunk framing and
// mix pipelined messages (seen on Node 24, November 2026), and a `data` listener would start the stream before the
// route is ready. One function for all messages, since a closure for each would be most of what counting costs.

function countedPush(this: IncomingMessage & Measured, chunk: unknown, encoding?: BufferEncoding): boolean {
  this[measurementKey]!.requestBytes += sizeOf(chunk, encoding);
  return Object.getPrototypeOf(this).push.call(this, chunk, encoding);
}

// What the operating system has taken is known by the callback of a write alone: at the close of an answer that was
// broken off, all that waited has been thrown away (a 100 MB answer of which 64 KiB were read counted whole, seen on
// Node 24, November 2026). Only streams write, so only they pay for the closure.
function countedWrite(this: ServerResponse & Measured, ...given: unknown[]): boolean {
  const measurement = this[measurementKey]!;
  const prototype = Object.getPrototypeOf(this);
  // A write after the end is an error and sends nothing.
  if (this.writableEnded) return prototype.write.apply(this, given);
  const size = sizeOf(given[0], given[1]);
  measurement.responseBytes += size;
  measurement.unsentBytes += size;
  const encoding = typeof given[1] === "function" ? undefined : given[1];
  const callback = given.find((each) => typeof each === "function") as ((error?: Error | null) => void) | undefined;
  return prototype.write.call(this, given[0], encoding, (error?: Error | null) => {
    if (error === undefined || error === null) measurement.unsentBytes -= size;
    callback?.(error);
  });
}

function countedEnd(this: ServerResponse & Measured, ...given: unknown[]): ServerResponse {
  if (!this.writableEnded) {
    const measurement = this[measurementKey]!;
    const size = sizeOf(given[0], given[1]);
    measurement.responseBytes += size;
    // Sent when the response has finished, and not looked at then.
    measurement.unsentBytes += size;
  }
  return Object.getPrototypeOf(this).end.apply(this, given);
}

const schemeOf = (socket: Socket): "http" | "https" => ("encrypted" in socket ? "https" : "http");

function measure(
  { request, response, socket, server }: StartMessage,
  showsActive: boolean,
  recorder: HttpRecorder,
): void {
  if (!isMeasured(server)) return;
  const startedMs = performance.now();
  const measurement: Measurement = {
    request,
    socket,
    server,
    startedMs,
    showsActive,
    recorder,
    requestBytes: 0,
    responseBytes: 0,
    unsentBytes: 0,
  };
  (response as Measured)[measurementKey] = measurement;
  const { headers, method } = request;
  if (headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined) {
    (request as Measured)[measurementKey] = measurement;
    request.push = countedPush;
  }
  if (method !== "HEAD") {
    response.write = countedWrite;
    response.end = countedEnd as typeof response.end;
  }
  if (showsActive) recorder.active(1, method, schemeOf(socket));
  // One close for each request, under keep-alive and pipelining, aborts and event streams included (seen on Node 24,
  // November 2026).
  response.on("close", onClose);
}

function onClose(this: ServerResponse): void {
  // Not `guarded`: it would be a closure for each request, as in the listener below.
  try {
    recordEnd(this);
  } catch (error) {
    measurementFailed(error);
  }
}

function recordEnd(response: ServerResponse & Measured): void {
  const measurement = response[measurementKey];
  if (measurement === undefined) return;
  const { request, socket, server, startedMs, recorder, requestBytes } = measurement;
  const scheme = schemeOf(socket);
  if (measurement.showsActive) recorder.active(-1, request.method, scheme);
  const end = endOfAnswer(request, response, server);
  recorder.ended({
    method: request.method ?? "",
    scheme,
    route: routeLabelOf(request, response),
    statusCode: end === undefined ? response.statusCode : end.statusCode,
    fault: end?.fault,
    isCallersFault: response.statusCode >= 500 && isCallersFault(response),
    durationSeconds: (performance.now() - startedMs) / 1000,
    requestBytes,
    responseBytes: sentBytesOf(request, response) ?? 0,
    span: rememberedSpan(request),
  });
}

export interface HttpMetricsConfig extends InstrumentationConfig {
  /** PROMETHEUS__INSTRUMENT_INPROGRESS. */
  readonly showsActive: boolean;
  /**
   * What takes the measurements, asked for again with each other MeterProvider: `meterHttpRecorder` counts in instruments of
   * the meter; the service hands over an aggregation of its own, and does not load that.
   */
  readonly recorderOf: (meter: Meter) => HttpRecorder;
}

/**
 * Measures every request of this process's HTTP servers through node:diagnostics_channel: automatic, nothing global
 * patched, about the cost of the prom-client bundle (seen on Node 24, November 2026).
 */
export class HttpMetricsInstrumentation extends InstrumentationBase<HttpMetricsConfig> {
  // Declared without a value: the base class may call enable() from its constructor, before fields are set.
  declare private listener: ((message: unknown) => void) | undefined;
  declare private recorder: HttpRecorder | undefined;

  constructor(config: HttpMetricsConfig) {
    super(meterName, "1.0.0", config);
  }

  protected override init(): undefined {}

  /** Another provider: its recorder is made with the next request. */
  protected override _updateMetricInstruments(): void {
    this.recorder = undefined;
  }

  override enable(): void {
    super.enable();
    if (this.listener !== undefined) return;
    // A subscriber that throws ends the process (seen on Node 24, November 2026), so it is guarded.
    const { showsActive, recorderOf } = this.getConfig();
    this.listener = (message) => {
      try {
        this.recorder ??= recorderOf(this.meter);
        measure(message as StartMessage, showsActive, this.recorder);
      } catch (error) {
        measurementFailed(error);
      }
    };
    subscribe(startChannel, this.listener);
  }

  override disable(): void {
    super.disable();
    if (this.listener !== undefined) unsubscribe(startChannel, this.listener);
    this.listener = undefined;
  }
}
