import type { SpanContext } from "@opentelemetry/api";
import { httpMethods } from "./catalogue/http.ts";

/** One request that has ended; the API's own types, so that it needs no SDK. */
export interface EndedRequest {
  readonly method: string;
  readonly scheme: "http" | "https";
  readonly route: string;
  /** 0 when no final response was sent. */
  readonly statusCode: number;
  /** Why there is none, or why Node answered in our place; `other` is a fault of ours. */
  readonly fault?: "client_closed" | "timeout" | "parse_error" | "other" | undefined;
  /** The answer is 5xx, but not for a fault of ours. */
  readonly isCallersFault?: boolean | undefined;
  readonly durationSeconds: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Of a request whose trace is kept: it becomes an exemplar. */
  readonly span?: SpanContext | undefined;
}

/** Takes what is measured of HTTP requests: the SDK's instruments, or an aggregation of our own. */
export interface HttpRecorder {
  ended(request: EndedRequest): void;
  /** One request more (1) or fewer (-1) is being answered. */
  active(change: 1 | -1, method: string | undefined, scheme: "http" | "https"): void;
  /** Shows the requests of these routes with 0, so that availability sees the first one. */
  declare(routes: readonly string[]): void;
}

let current: HttpRecorder | undefined;

/** What takes the measurements of this process; undefined while telemetry is off. */
export function httpRecorder(): HttpRecorder | undefined {
  return current;
}

/** Set once by the SDK's start, and by tests. */
export function useHttpRecorder(recorder: HttpRecorder | undefined): void {
  current = recorder;
}

/** How a request ended, for availability: a time-out and what we break off is ours, a closed connection the client's. */
export function outcomeOf({
  statusCode,
  fault,
  isCallersFault = false,
}: Pick<EndedRequest, "statusCode" | "fault" | "isCallersFault">): HttpOutcome {
  if (fault === "timeout" || fault === "other") return "server_error";
  if (statusCode === 0) return "aborted";
  if (statusCode >= 500 && !isCallersFault) return "server_error";
  return statusCode >= 400 ? "client_error" : "ok";
}
type HttpOutcome = "ok" | "client_error" | "server_error" | "aborted";

type Method = (typeof httpMethods)[number];
const knownMethods: ReadonlySet<string> = new Set(httpMethods);

/** `_OTHER` for methods outside RFC 9110, as the semantic conventions say: an invention must not become a series. */
export function methodAttribute(method: string | undefined): Method {
  return method !== undefined && knownMethods.has(method) ? (method as Method) : "_OTHER";
}

/** The status as a label; empty when there was no final response. */
export const statusAttribute = (statusCode: number): string => (statusCode === 0 ? "" : String(statusCode));

/** What went wrong: the fault, else the status of a 5xx as text (semantic conventions), else nothing. */
export function errorTypeOf({ statusCode, fault }: Pick<EndedRequest, "statusCode" | "fault">): string {
  return fault ?? (statusCode >= 500 ? String(statusCode) : "");
}
