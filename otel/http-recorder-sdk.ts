import { httpMethods, httpOutcomes } from "./catalogue.ts";
import { errorTypeOf, type HttpRecorder, outcomeOf, statusAttribute } from "./http-recorder.ts";
import { add, guarded, record } from "./instruments.ts";

type Method = (typeof httpMethods)[number];
const knownMethods: ReadonlySet<string> = new Set(httpMethods);

/** `_OTHER` for methods outside RFC 9110, as the semantic conventions say: an invention must not become a series. */
export function methodAttribute(method: string | undefined): Method {
  return method !== undefined && knownMethods.has(method) ? (method as Method) : "_OTHER";
}

/** The instruments of the SDK: the reference that `http-aggregation.ts` is held against. */
export const sdkHttpRecorder: HttpRecorder = {
  ended(request) {
    const base = { "http.request.method": methodAttribute(request.method), "url.scheme": request.scheme };
    const routed = { ...base, "http.route": request.route };
    guarded(() =>
      record("httpRequestDuration", request.durationSeconds, {
        ...routed,
        "http.response.status_code": statusAttribute(request.statusCode),
        "error.type": errorTypeOf(request),
      }),
    );
    guarded(() => record("httpRequestBodySize", request.requestBytes, routed));
    guarded(() => record("httpResponseBodySize", request.responseBytes, routed));
    guarded(() => add("httpRequests", 1, { "http.route": request.route, outcome: outcomeOf(request) }));
  },
  active(change, method, scheme) {
    guarded(() =>
      add("httpActiveRequests", change, { "http.request.method": methodAttribute(method), "url.scheme": scheme }),
    );
  },
  declare(routes) {
    for (const route of routes) {
      for (const outcome of httpOutcomes) guarded(() => add("httpRequests", 0, { "http.route": route, outcome }));
    }
  },
};
