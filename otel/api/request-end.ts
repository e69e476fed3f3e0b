import type { EndedRequest } from "./http-recorder.ts";

const verdictKey = Symbol.for("mlops-backend.request-end");
const callersFaultKey = Symbol.for("mlops-backend.callers-fault");
const cutOffKey = Symbol.for("mlops-backend.cut-off");

/** How a request ended that its response has no word of: it was not finished. */
interface RequestEnd {
  /** What was written past the response; 0 when nothing could be. */
  readonly statusCode: number;
  readonly fault: NonNullable<EndedRequest["fault"]>;
}

/** Says why a request ended without a whole answer; the first word stays, what follows from it comes later. */
export function markEnd(request: object, end: RequestEnd): void {
  if (!(verdictKey in request)) Object.defineProperty(request, verdictKey, { value: end });
}

/** Says that all requests which this server still has are broken off by us: its time to stop is over. */
export function markCutOff(server: object): void {
  Object.defineProperty(server, cutOffKey, { value: true, configurable: true });
}

function knownEndOf(request: object): RequestEnd | undefined {
  return (request as { [verdictKey]?: RequestEnd })[verdictKey];
}

/** Without a word of ours it was the client who went. */
function endOf(request: object, server: object): RequestEnd {
  const known = knownEndOf(request);
  if (known !== undefined) return known;
  return { statusCode: 0, fault: cutOffKey in server ? "other" : "client_closed" };
}

/** How a request ended that its answer has no word of; undefined where the answer tells it. */
export function endOfAnswer(
  request: object,
  response: { readonly writableFinished: boolean },
  server: object,
): RequestEnd | undefined {
  // A broken-off response still says 200 (seen on Node 24, November 2026).
  return response.writableFinished ? knownEndOf(request) : endOf(request, server);
}

/** Marks that the caller must act although the status is 5xx: 507 is also who has used up a quota. */
export function markCallersFault(response: object): void {
  Object.defineProperty(response, callersFaultKey, { value: true, configurable: true });
}

export function isCallersFault(response: object): boolean {
  return callersFaultKey in response;
}
