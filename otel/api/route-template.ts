import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Express } from "express";

const routeKey = Symbol.for("mlops-backend.route");
const templateKey = Symbol.for("mlops-backend.route-template");
const unmeasuredKey = Symbol.for("mlops-backend.unmeasured");

/** Where a response has its measurement, while HTTP is measured. */
export const measurementKey = Symbol.for("mlops-backend.measurement");
/** What a measurement knows of the answer's body. */
interface CountedBody {
  /** Written by the route. */
  readonly responseBytes: number;
  /** Of them, what the operating system has not taken. */
  readonly unsentBytes: number;
}

/** What a path without a route is called, and one that does not take the method. */
export const unmatchedRoute = "unmatched";

interface RoutedRequest {
  [routeKey]?: unknown;
  [templateKey]?: string;
  readonly baseUrl: string;
}
/** A route has the same template at nearly every request: it is kept with it, for the base that it was made for. */
interface Route {
  [templateKey]?: { readonly baseUrl: string; readonly template: string };
}

function pathOf(route: unknown): string {
  const path = (route as { path?: unknown } | undefined)?.path;
  return typeof path === "string" ? path : Array.isArray(path) && typeof path[0] === "string" ? path[0] : "/*";
}

/**
 * Catches the full template at the moment Express sets `request.route`, on this application's own request prototype;
 * nothing global is patched. The application must tell cases apart («case sensitive routing»): of a mounted router
 * Express knows only what the caller wrote, and `/API/v1` in all its cases would be a label each. Reading `route.path` and `baseUrl` later is wrong: after an error handler in the root,
 * `baseUrl` of a mounted router is already reset (seen on Node 24, November 2026).
 */
export function attachRouteAccessor(app: Express): void {
  Object.defineProperty(app.request, "route", {
    configurable: true,
    enumerable: true,
    get(this: RoutedRequest) {
      return this[routeKey];
    },
    set(this: RoutedRequest, route: Route | undefined) {
      if (route === undefined) return;
      this[routeKey] = route;
      const { baseUrl } = this;
      let known = route[templateKey];
      if (known === undefined || known.baseUrl !== baseUrl) {
        const path = pathOf(route);
        known = { baseUrl, template: path === "/" && baseUrl !== "" ? baseUrl : `${baseUrl}${path}` };
        route[templateKey] = known;
      }
      this[templateKey] = known.template;
    },
  });
}

/** The route that answered, e.g. `/api/ml/v1/datasets/:id`, else `unmatched`. */
export function routeTemplateOf(request: IncomingMessage): string {
  return (request as unknown as RoutedRequest)[templateKey] ?? unmatchedRoute;
}

/** What a request is counted under, and its span named after. */
export function routeLabelOf(request: IncomingMessage, response: { readonly statusCode: number }): string {
  // No route takes that method: one label, or a stranger could fill every route with every method.
  return response.statusCode === 405 ? unmatchedRoute : routeTemplateOf(request);
}

/**
 * Bytes of the answer's body that were sent, without headers and chunk framing. Where nothing is measured they are
 * known of whole answers with a Content-Length only; else undefined.
 */
export function sentBytesOf(request: IncomingMessage, response: ServerResponse): number | undefined {
  // Node throws such a body away, though it was written.
  if (request.method === "HEAD" || response.statusCode === 204 || response.statusCode === 304) return 0;
  const counted = (response as { [measurementKey]?: CountedBody })[measurementKey];
  if (counted !== undefined) return counted.responseBytes - (response.writableFinished ? 0 : counted.unsentBytes);
  const length = Number(response.getHeader("content-length"));
  return response.writableFinished && Number.isFinite(length) ? length : undefined;
}

/** Requests of this server are not measured: the metrics server on its own port. */
export function leaveUnmeasured(server: Server): void {
  Object.defineProperty(server, unmeasuredKey, { value: true });
}

export function isMeasured(server: unknown): boolean {
  return !(typeof server === "object" && server !== null && unmeasuredKey in server);
}
