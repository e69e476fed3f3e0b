import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { httpRecorder } from "../../otel/api/http-recorder.ts";
import { guarded } from "../../otel/api/instruments.ts";
import { markEnd } from "../../otel/api/request-end.ts";
import { unmatchedRoute } from "../../otel/api/route-template.ts";

const clientErrorAnswers: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
};
const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Payload Too Large",
  431: "Request Header Fields Too Large",
};

/** What Node keeps of a connection (seen on Node 24, November 2026); nothing else tells whose fault an error is. */
interface NodeSocket extends Duplex {
  /** The answer that is being written. */
  readonly _httpMessage?: ServerResponse | null;
  readonly parser?: { readonly incoming?: IncomingMessage | null } | null;
  readonly bytesRead?: number;
}

/** Ends the connection whether the client closes its side or not: a server of Node leaves it half open otherwise. */
function answerPast(socket: Duplex, status: number): void {
  const head = `HTTP/1.1 ${status} ${reasons[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
  socket.end(head, () => socket.destroy());
}

function countAnswered(socket: Duplex, method: string, statusCode: number, fault?: "timeout" | "parse_error"): void {
  httpRecorder()?.ended({
    method,
    scheme: "encrypted" in socket ? "https" : "http",
    route: unmatchedRoute,
    statusCode,
    fault,
    durationSeconds: 0,
    requestBytes: 0,
    responseBytes: 0,
  });
}

/** Counts a request that Node gave up, once: here, or at its close when it had begun. */
function countGivenUp(socket: NodeSocket, code: string | undefined, status: number): void {
  const fault = status === 408 ? "timeout" : "parse_error";
  const receiving = socket.parser?.incoming;
  if (receiving !== undefined && receiving !== null && !receiving.complete) {
    // Its body is late or damaged. One that ends too early is a client that has gone.
    if (code === "HPE_INVALID_EOF_STATE") return;
    const isAnswered = socket._httpMessage?.headersSent === true;
    markEnd(receiving, { statusCode: isAnswered ? 0 : status, fault });
    return;
  }
  // A connection that was opened in advance, or by a probe, and sent nothing is no request.
  if (fault === "timeout" && socket.bytesRead === 0) return;
  countAnswered(socket, "", status, fault);
}

/**
 * Answers malformed and slow requests as Node does by itself, and counts them: they fire no start event (seen on Node
 * 24, November 2026). A listener here replaces Node's own answer, so it is given in full. CONNECT fires none either:
 * Node ends the connection without a word.
 */
export function watchClientErrors(server: Server): void {
  server.on("clientError", (error: NodeJS.ErrnoException, socket: NodeSocket) => {
    const status = clientErrorAnswers[error.code ?? ""] ?? 400;
    const isGone = !socket.writable || error.code === "ECONNRESET";
    if (!isGone) guarded(() => countGivenUp(socket, error.code, status));
    if (isGone || socket._httpMessage?.headersSent === true) socket.destroy();
    else answerPast(socket, status);
  });
  server.on("connect", (request: IncomingMessage, socket: Duplex) => {
    guarded(() => countAnswered(socket, request.method ?? "", 405));
    // It may be gone before it has the answer, and nobody else listens.
    socket.on("error", () => {});
    answerPast(socket, 405);
  });
}
