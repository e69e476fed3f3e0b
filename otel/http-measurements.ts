import { httpMethods } from "./catalogue.ts";
import { add, guarded, record } from "./instruments.ts";

/** One request that has ended; the API's own types, so that it needs no SDK. */
export interface EndedRequest {
  readonly method: string;
  readonly scheme: "http" | "https";
  readonly route: string;
  /** 0 when no final response was sent. */
  readonly statusCode: number;
  /** Why there is none, or why Node answered in our place. */
  readonly fault?: "client_closed" | "timeout" | "parse_error" | undefined;
  readonly durationSeconds: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

const knownMethods: ReadonlySet<string> = new Set(httpMethods);

/** `other` for methods outside RFC 9110: an attacker's invention must not become a series. */
export function methodAttribute(method: string | undefined): string {
  return method !== undefined && knownMethods.has(method) ? method : "other";
}

/** How a request ended, for availability: a time-out is ours, a closed connection the client's. */
export function outcomeOf({ statusCode, fault }: Pick<EndedRequest, "statusCode" | "fault">): string {
  if (fault === "timeout") return "server_error";
  if (statusCode === 0) return "aborted";
  if (statusCode >= 500) return "server_error";
  return statusCode >= 400 ? "client_error" : "ok";
}

/** Records an ended request; each instrument has its own guard. */
export function requestEnded(request: EndedRequest): void {
  const base = { "http.request.method": methodAttribute(request.method), "url.scheme": request.scheme };
  const routed = { ...base, "http.route": request.route };
  const errorType = request.fault ?? (request.statusCode >= 500 ? String(request.statusCode) : "");
  const status = request.statusCode === 0 ? "" : String(request.statusCode);
  guarded(() =>
    record("httpRequestDuration", request.durationSeconds, {
      ...routed,
      "http.response.status_code": status,
      "error.type": errorType,
    }),
  );
  guarded(() => record("httpRequestBodySize", request.requestBytes, routed));
  guarded(() => record("httpResponseBodySize", request.responseBytes, routed));
  guarded(() => add("httpRequests", 1, { "http.route": request.route, outcome: outcomeOf(request) }));
}

/** One request more (1) or fewer (-1) is being answered. */
export function requestActive(change: 1 | -1, method: string | undefined, scheme: "http" | "https"): void {
  guarded(() =>
    add("httpActiveRequests", change, { "http.request.method": methodAttribute(method), "url.scheme": scheme }),
  );
}
