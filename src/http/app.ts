import express, { type Express, type Request, type RequestHandler, type Response, Router } from "express";
import helmet from "helmet";
import { v7 as uuidv7, validate } from "uuid";
import type { z } from "zod";
import { authenticate } from "../auth/api-keys.ts";
import { DomainError, type ErrorCode, type FieldFault } from "../errors.ts";
import type { Logger } from "../log.ts";
import { activeTraceId } from "../monitoring/spans.ts";
import type { Config } from "../settings/config.ts";
import { accessLog, type RequestFacts } from "./access-log.ts";
import { type ConsolePages, mountConsole } from "./console-pages.ts";
import { mountFrontDoor } from "./front-door.ts";
import { mountHealth, type Readiness } from "./health.ts";
import { refuseManyParts } from "./json-parts.ts";
import { methodNotAllowed } from "./method-not-allowed.ts";
import { hasOneHost } from "./one-host.ts";
import { docsPath, documentPath, mountDocs } from "./openapi.ts";
import { problemHandler } from "./problem.ts";
import { type ApiRoute, apiPrefix } from "./route.ts";

// The names of all columns of a table, which its header of 256 KiB holds, fit with their quotes.
const jsonLimitBytes = 272 * 1024;

const mostFaults = 20;
const longestFault = 400;

/** The first faults in words; a body of a megabyte can have a hundred thousand, and would be sent back whole. */
function faultsOf({ issues }: z.ZodError): FieldFault[] {
  const told = issues.slice(0, mostFaults).map(({ path, message }) => ({
    path: path.join("."),
    message: message.length > longestFault ? `${message.slice(0, longestFault).toWellFormed()} …` : message,
  }));
  const more = issues.length - told.length;
  return more === 0 ? told : [...told, { path: "", message: `and ${more} more` }];
}

function parse(schema: z.ZodType | undefined, value: unknown, code: ErrorCode, what: string): unknown {
  if (schema === undefined) return value;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new DomainError(code, `${what} is not what this call takes; see errors.`, { fields: faultsOf(result.error) });
}

function toHandler(route: ApiRoute): RequestHandler {
  return async (request: Request, response: Response) => {
    const params = parse(route.params, request.params, "ID_INVALID", "The path");
    const query = parse(route.query, request.query, "VALIDATION_FAILED", "The query");
    if (route.body !== undefined && !request.is("application/json")) {
      throw new DomainError("UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json.");
    }
    const body = parse(route.body, request.body, "VALIDATION_FAILED", "The body");
    await route.handle({ owner: response.locals.owner, params, query, body, request, response });
  };
}

/** Work is refused while the service stops: its port is open for /metrics and the health calls alone. */
function refuseWhileStopping({ isStopping }: Readiness): RequestHandler {
  return (_request, response, next) => {
    if (!isStopping()) return next();
    // So that the client's next request finds another process.
    response.setHeader("Connection", "close");
    throw new DomainError("NOT_READY", "The service is stopping. Nothing was done; try again in a few seconds.", {
      retryAfterSeconds: 5,
    });
  };
}

/** Lets pages of the listed origins call; without a list no header is set and browsers keep others out. */
function cors(origins: readonly string[]): RequestHandler {
  const allowed = new Set(origins);
  return (request, response, next) => {
    response.vary("Origin");
    const origin = request.headers.origin;
    if (origin === undefined || !allowed.has(origin)) return next();
    response.setHeader("Access-Control-Allow-Origin", origin);
    response.setHeader("Access-Control-Expose-Headers", "ETag, Location, Retry-After, X-Request-Id, X-Trace-Id");
    if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined) return next();
    response.setHeader("Access-Control-Allow-Methods", "GET, POST, PATCH, DELETE");
    response.setHeader(
      "Access-Control-Allow-Headers",
      "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Range",
    );
    response.setHeader("Access-Control-Max-Age", "600");
    response.status(204).end();
  };
}

/** What the application is made of; `main.ts` hands it in. */
export interface AppParts {
  readonly config: Config;
  readonly log: Logger;
  /** Empty for the worker role: it answers health and /metrics only. */
  readonly routes: readonly ApiRoute[];
  readonly readiness: Readiness;
  readonly version: string;
  /** Undefined where there is none to show. */
  readonly console: ConsolePages | undefined;
  /** Mounts what listens at the side: the route accessor of the HTTP metrics, and /metrics. */
  readonly mountTelemetry: (app: Express) => void;
  /** For the access log. */
  readonly requestFacts: RequestFacts;
}

/** The Express application; it knows no dataset, run or artifact. */
export function createApp({
  config,
  log,
  routes,
  readiness,
  version,
  console: pages,
  mountTelemetry,
  requestFacts,
}: AppParts): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("query parser", "simple");
  // Paths have a case (RFC 3986, 6.2.2.1). Without it every spelling of the prefix would be a route label of its own.
  app.enable("case sensitive routing");
  // ETags of whole answers cost a hash each; files and datasets set their own.
  app.set("etag", false);

  app.use((request, response, next) => {
    const sent = request.headers["x-request-id"];
    const requestId = typeof sent === "string" && validate(sent) ? sent : uuidv7();
    response.locals.requestId = requestId;
    response.setHeader("X-Request-Id", requestId);
    const traceId = activeTraceId();
    if (traceId !== undefined) response.setHeader("X-Trace-Id", traceId);
    next();
  });
  app.use(
    helmet({
      contentSecurityPolicy: {
        // All of it here: helmet's own list lets styles and fonts of any https: address in.
        useDefaults: false,
        directives: {
          "default-src": ["'self'"],
          "base-uri": ["'self'"],
          "font-src": ["'self'"],
          "form-action": ["'self'"],
          "frame-ancestors": ["'self'"],
          // Swagger UI shows its logo from a data: address, and writes style attributes.
          "img-src": ["'self'", "data:"],
          "object-src": ["'none'"],
          "script-src": ["'self'"],
          "script-src-attr": ["'none'"],
          "style-src": ["'self'"],
          "style-src-attr": ["'unsafe-inline'"],
        },
      },
    }),
  );
  app.use((request, response, next) => {
    if (hasOneHost(request)) return next();
    response.setHeader("Connection", "close");
    throw new DomainError(
      "HOST_INVALID",
      "The request has more than one Host header: send one (RFC 9112, section 3.2).",
    );
  });
  mountTelemetry(app);
  mountHealth(app, readiness, { version, role: config.role }, log);
  app.use(accessLog(log, requestFacts));

  const hasApi = routes.length > 0;
  mountFrontDoor(
    app,
    { version, role: config.role },
    { ...(hasApi && { docs: docsPath, openapi: documentPath, api: `${apiPrefix}/` }), health: "/api/health" },
    pages,
  );
  if (hasApi) {
    if (pages !== undefined) mountConsole(app, pages);
    mountDocs(app, routes, version);
    const router = Router({ caseSensitive: true });
    const json = express.json({ limit: jsonLimitBytes, strict: true, verify: refuseManyParts });
    // On each route, not before the router: a refusal is counted and logged under the route that was asked for.
    const authenticated = authenticate(config);
    const open = refuseWhileStopping(readiness);
    const routesByPath = [...Map.groupBy(routes, ({ path }) => path)];
    // Literal paths first: else `/datasets/:id` takes `/datasets/expired` for an id wherever the method is another.
    const hasParameter = ([path]: (typeof routesByPath)[number]): boolean => path.includes(":");
    for (const [path, ofPath] of routesByPath.sort((a, b) => Number(hasParameter(a)) - Number(hasParameter(b)))) {
      for (const route of ofPath) {
        const handlers = route.body === undefined ? [toHandler(route)] : [json, toHandler(route)];
        router[route.method](path, open, authenticated, ...handlers);
      }
      // Before a key is asked for: the document names the methods to everybody, and so this is never a 401.
      router.all(path, methodNotAllowed(ofPath.map(({ method }) => method)));
    }
    app.use(apiPrefix, cors(config.corsOrigins), router);
  }
  app.use(() => {
    throw new DomainError("NOT_FOUND", "There is nothing at this path; /api/docs lists the calls.");
  });
  app.use(problemHandler(log));
  return app;
}
