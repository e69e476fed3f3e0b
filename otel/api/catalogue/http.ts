import { fromBoundedSource, type MetricDefinition } from "./metric-definition.ts";

export const httpOutcomes = ["ok", "client_error", "server_error", "aborted"] as const;
/** The methods of RFC 9110 and PATCH; others become `_OTHER`, as the HTTP semantic conventions say. */
export const httpMethods = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "CONNECT",
  "TRACE",
  "_OTHER",
] as const;
export const urlSchemes = ["http", "https"] as const;

const serverErrorCodes = Array.from({ length: 100 }, (_, index) => String(500 + index));
/** "" is success; a 5xx is its own error type, as the HTTP semantic conventions say. */
export const httpErrorTypes: readonly string[] = ["", "client_closed", "timeout", "parse_error", ...serverErrorCodes];
/** "" where no final response was sent. */
export const httpStatusCodes: readonly string[] = [
  "",
  ...Array.from({ length: 500 }, (_, index) => String(100 + index)),
];

const bodySizeBounds = [1e2, 1e3, 1e4, 1e5, 1e6, 1e7] as const;
const methodAndScheme = { "http.request.method": httpMethods, "url.scheme": urlSchemes } as const;

/** Requests, as their server sees them. */
export const httpMetrics = {
  httpRequestDuration: {
    name: "http.server.request.duration",
    kind: "histogram",
    unit: "s",
    description: "From the request's headers to the end of the response or the break of the connection.",
    attributes: {
      ...methodAndScheme,
      "http.route": fromBoundedSource,
      "http.response.status_code": httpStatusCodes,
      "error.type": httpErrorTypes,
    },
    bounds: "latency",
    scope: "process",
    role: "api",
    fromStart: false,
    // Room for whatever can happen at every route and method: at 200, four hundred requests without a key had filled it
    // (tests/integration/label-sets.test.ts), and the first 503 of a route had no series.
    seriesLimit: 800,
  },
  httpRequestBodySize: {
    name: "http.server.request.body.size",
    kind: "histogram",
    unit: "By",
    description: "Bytes of the request body as sent, without headers and chunk framing.",
    attributes: { ...methodAndScheme, "http.route": fromBoundedSource },
    bounds: bodySizeBounds,
    scope: "process",
    role: "api",
    fromStart: false,
    seriesLimit: 80,
  },
  httpResponseBodySize: {
    name: "http.server.response.body.size",
    kind: "histogram",
    unit: "By",
    description: "Bytes of the response body as sent, without headers and chunk framing.",
    attributes: { ...methodAndScheme, "http.route": fromBoundedSource },
    bounds: bodySizeBounds,
    scope: "process",
    role: "api",
    fromStart: false,
    seriesLimit: 80,
  },
  httpActiveRequests: {
    name: "http.server.active_requests",
    kind: "upDownCounter",
    unit: "{request}",
    description: "Requests being answered now (PROMETHEUS__INSTRUMENT_INPROGRESS).",
    attributes: methodAndScheme,
    scope: "process",
    role: "api",
    fromStart: false,
    seriesLimit: 22,
  },
  httpRequests: {
    name: "mlops.backend.http.requests",
    kind: "counter",
    unit: "{request}",
    description: "Requests by how they ended; 0 from the start for every route, for availability.",
    attributes: { "http.route": fromBoundedSource, outcome: httpOutcomes },
    scope: "process",
    role: "api",
    fromStart: true,
    seriesLimit: 200,
  },
} as const satisfies Record<string, MetricDefinition>;
