import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { InstrumentationBase, type InstrumentationConfig } from "@opentelemetry/instrumentation";
import { requestActive, requestEnded } from "./http-measurements.ts";
import { guarded, meterName } from "./instruments.ts";
import { hasTimedOut, isMeasured, routeTemplateOf } from "./route-template.ts";

const startChannel = "http.server.request.start";

interface StartMessage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly server: Server;
}

function sizeOf(chunk: unknown, encoding: unknown): number {
  if (typeof chunk === "string")
    return Buffer.byteLength(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8");
  return ArrayBuffer.isView(chunk) ? chunk.byteLength : 0;
}

/**
 * Counts bodies on the single message. `socket.bytesRead` and `bytesWritten` include headers and chunk framing and mix
 * pipelined messages (seen on Node 24, November 2026); a `data` listener would start the stream before the route is ready.
 */
function countBodies(
  request: IncomingMessage,
  response: ServerResponse,
): { readonly request: number; readonly response: number } {
  const counted = { request: 0, response: 0 };
  if (request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined) {
    const push = request.push;
    request.push = function countedPush(chunk: unknown, encoding?: BufferEncoding) {
      counted.request += sizeOf(chunk, encoding);
      return push.call(this, chunk, encoding);
    };
  }
  if (request.method === "HEAD") return counted;
  const { write, end } = response as {
    write: (...given: unknown[]) => boolean;
    end: (...given: unknown[]) => ServerResponse;
  };
  Object.assign(response, {
    write(this: ServerResponse, ...given: unknown[]) {
      counted.response += sizeOf(given[0], given[1]);
      return write.apply(this, given);
    },
    end(this: ServerResponse, ...given: unknown[]) {
      counted.response += sizeOf(given[0], given[1]);
      return end.apply(this, given);
    },
  });
  return counted;
}

function measure({ request, response, socket, server }: StartMessage, showsActive: boolean): void {
  if (!isMeasured(server)) return;
  const startedMs = performance.now();
  const scheme = "encrypted" in socket ? "https" : "http";
  const method = request.method;
  const counted = countBodies(request, response);
  if (showsActive) requestActive(1, method, scheme);
  // One close for each request, under keep-alive and pipelining, aborts and event streams included (seen on Node 24, November 2026).
  response.once("close", () =>
    guarded(() => {
      if (showsActive) requestActive(-1, method, scheme);
      // A broken-off response still says 200 (seen on Node 24, November 2026).
      const hasFinished = response.writableFinished;
      const hasBody = response.statusCode !== 204 && response.statusCode !== 304;
      requestEnded({
        method: method ?? "",
        scheme,
        route: routeTemplateOf(request),
        statusCode: hasFinished ? response.statusCode : 0,
        fault: hasFinished ? undefined : hasTimedOut(socket) ? "timeout" : "client_closed",
        durationSeconds: (performance.now() - startedMs) / 1000,
        requestBytes: counted.request,
        responseBytes: hasBody ? counted.response : 0,
      });
    }),
  );
}

export interface HttpMetricsConfig extends InstrumentationConfig {
  /** PROMETHEUS__INSTRUMENT_INPROGRESS. */
  readonly showsActive: boolean;
}

/**
 * Measures every request of this process's HTTP servers through node:diagnostics_channel: automatic, nothing global
 * patched, about the cost of the prom-client bundle (seen on Node 24, November 2026).
 */
export class HttpMetricsInstrumentation extends InstrumentationBase<HttpMetricsConfig> {
  // Declared without a value: the base class may call enable() from its constructor, before fields are set.
  declare private listener: ((message: unknown) => void) | undefined;

  constructor(config: HttpMetricsConfig) {
    super(meterName, "1.0.0", config);
  }

  protected override init(): undefined {}

  override enable(): void {
    super.enable();
    if (this.listener !== undefined) return;
    // A subscriber that throws ends the process (seen on Node 24, November 2026), so it is guarded.
    this.listener = (message) => guarded(() => measure(message as StartMessage, this.getConfig().showsActive));
    subscribe(startChannel, this.listener);
  }

  override disable(): void {
    super.disable();
    if (this.listener !== undefined) unsubscribe(startChannel, this.listener);
    this.listener = undefined;
  }
}
