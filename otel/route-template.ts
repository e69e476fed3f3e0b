import type { IncomingMessage, Server } from "node:http";
import type { Express } from "express";

const routeKey = Symbol.for("mlops-backend.route");
const unmeasuredKey = Symbol.for("mlops-backend.unmeasured");
const timedOutKey = Symbol.for("mlops-backend.timed-out");

/** What a path without a route is called. */
export const unmatchedRoute = "unmatched";

interface RoutedRequest {
  [routeKey]?: { readonly template: string; readonly route: unknown };
  readonly baseUrl: string;
}

function pathOf(route: unknown): string {
  const path = (route as { path?: unknown } | undefined)?.path;
  return typeof path === "string" ? path : Array.isArray(path) && typeof path[0] === "string" ? path[0] : "/*";
}

/**
 * Catches the full template at the moment Express sets `request.route`, on this application's own request prototype;
 * nothing global is patched. Reading `route.path` and `baseUrl` later is wrong: after an error handler in the root,
 * `baseUrl` of a mounted router is already reset (seen on Node 24, November 2026).
 */
export function attachRouteAccessor(app: Express): void {
  Object.defineProperty(app.request, "route", {
    configurable: true,
    enumerable: true,
    get(this: RoutedRequest) {
      return this[routeKey]?.route;
    },
    set(this: RoutedRequest, route: unknown) {
      if (route === undefined) return;
      const path = pathOf(route);
      const template = path === "/" && this.baseUrl !== "" ? this.baseUrl : `${this.baseUrl}${path}`;
      this[routeKey] = { template, route };
    },
  });
}

/** The route that answered, e.g. `/api/ml/v1/datasets/:id`, else `unmatched`. */
export function routeTemplateOf(request: IncomingMessage): string {
  return (request as unknown as RoutedRequest)[routeKey]?.template ?? unmatchedRoute;
}

/** Requests of this server are not measured: the metrics server on its own port. */
export function leaveUnmeasured(server: Server): void {
  Object.defineProperty(server, unmeasuredKey, { value: true });
}

export function isMeasured(server: unknown): boolean {
  return !(typeof server === "object" && server !== null && unmeasuredKey in server);
}

/** Marks that we, not the client, ended this connection, since a request took too long. */
export function markTimedOut(connection: object): void {
  Object.defineProperty(connection, timedOutKey, { value: true, configurable: true });
}

export function hasTimedOut(connection: object | null): boolean {
  return connection !== null && timedOutKey in connection;
}
