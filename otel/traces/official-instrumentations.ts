import type { IncomingMessage } from "node:http";
import { ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { type Span, SpanStatusCode } from "@opentelemetry/api";
import type { Instrumentation } from "@opentelemetry/instrumentation";
import { rememberSpan } from "../api/exemplars.ts";
import { methodAttribute } from "../api/http-recorder.ts";
import { endOfAnswer } from "../api/request-end.ts";
import { routeLabelOf, unmatchedRoute } from "../api/route-template.ts";
import { spanAttributes } from "../api/span-attributes.ts";
import type { TracedLibrary } from "../settings/trace-settings.ts";

const own = createRequire(import.meta.url);

/**
 * Loads one package of the official selection, as @opentelemetry/auto-instrumentations-node has it; importing the
 * selection itself would load all 39, 0.2 s of CPU and 44 MB (measured on Node 24, November 2026).
 */
function fromSelection<Exports>(name: string): Exports {
  const selection = createRequire(own.resolve("@opentelemetry/auto-instrumentations-node"));
  return selection(name) as Exports;
}

type Constructor = new (config?: object) => Instrumentation;

/** Garbage collections; everything else that it measures is dropped by a view. */
export function runtimeInstrumentation(): Instrumentation {
  const { RuntimeNodeInstrumentation } = fromSelection<{ RuntimeNodeInstrumentation: Constructor }>(
    "@opentelemetry/instrumentation-runtime-node",
  );
  return new RuntimeNodeInstrumentation();
}

/** What each instrumentation asks the loader for. */
const modulesOf: Readonly<Record<TracedLibrary, readonly string[]>> = {
  http: ["http", "https"],
  express: ["express"],
  pg: ["pg", "pg-pool"],
  undici: [],
  pino: ["pino"],
};

/**
 * Lets the instrumentations patch what is imported from now on: their own hook sees `require()` only. In this thread
 * and synchronously, since `module.register` is deprecated on Node 26. The copy is the one that the instrumentations
 * talk to.
 */
export async function patchImports(libraries: readonly TracedLibrary[]): Promise<void> {
  const instrumentation = createRequire(own.resolve("@opentelemetry/instrumentation"));
  const path = instrumentation.resolve("import-in-the-middle/register-hooks.mjs");
  const { register } = (await import(pathToFileURL(path).href)) as { register(options: { include: string[] }): void };
  register({ include: libraries.flatMap((library) => [...modulesOf[library]]) });
}

/** The run, and the name and route that our metrics have too: the official ones end at the router that an error handler left. */
function describeRequest(span: Span, request: IncomingMessage, response: unknown): void {
  if (!(response instanceof ServerResponse)) return;
  const route = routeLabelOf(request, response);
  const method = methodAttribute(request.method);
  const word = method === "_OTHER" ? "HTTP" : method;
  span.updateName(route === unmatchedRoute ? word : `${word} ${route}`);
  if (route !== unmatchedRoute) span.setAttribute("http.route", route);
  // Only the handler knows of a run, when this span has long begun.
  const { runId } = (response as ServerResponse & { locals?: { runId?: unknown } }).locals ?? {};
  if (typeof runId === "string") span.setAttribute(spanAttributes.runId, runId);
  const fault = endOfAnswer(request, response, (request.socket as { server?: object }).server ?? {})?.fault;
  if (fault === undefined) return;
  span.setAttribute("error.type", fault);
  // What is ours is a failed trace, which a collector keeps; as our metrics count it.
  if (fault === "timeout" || fault === "other") span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Polls of the queue and such have no parent: without one, a statement or a call makes no span. */
function configOf(library: TracedLibrary, isUntraced: (request: IncomingMessage) => boolean): object {
  switch (library) {
    case "http":
      return {
        ignoreIncomingRequestHook: isUntraced,
        requireParentforOutgoingSpans: true,
        requestHook: (span: Span, request: object) => rememberSpan(request, span.spanContext()),
        applyCustomAttributesOnSpan: describeRequest,
      };
    case "express":
      // A dozen layers that take microseconds each would hide what takes time.
      return { ignoreLayersType: ["middleware", "router"] };
    case "pg":
      return { requireParentSpan: true, ignoreConnectSpans: true };
    case "undici":
      return { requireParentforSpans: true };
    case "pino":
      return { disableLogSending: true };
  }
}

const classOf: Readonly<Record<TracedLibrary, string>> = {
  http: "HttpInstrumentation",
  express: "ExpressInstrumentation",
  pg: "PgInstrumentation",
  undici: "UndiciInstrumentation",
  pino: "PinoInstrumentation",
};

/** The official instrumentations of these libraries; `isUntraced` says which requests make no spans. */
export function tracingInstrumentations(
  libraries: readonly TracedLibrary[],
  isUntraced: (request: IncomingMessage) => boolean,
): Instrumentation[] {
  return libraries.map((library) => {
    const exported = fromSelection<Record<string, Constructor>>(`@opentelemetry/instrumentation-${library}`);
    return new exported[classOf[library]]!(configOf(library, isUntraced));
  });
}
