import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { diag } from "@opentelemetry/api";
import type { Express } from "express";
import { leaveUnmeasured } from "../../otel/api/route-template.ts";
import type { Telemetry } from "../../otel/api/telemetry.ts";
import type { Scrapes } from "../monitoring/last-scrape.ts";
import { allowScrapeTime } from "../monitoring/state-gauges.ts";
import { arrivalLimits } from "./listen.ts";
import { hasOneHost } from "./one-host.ts";

const compress = promisify(gzip);

export interface MetricsEndpoint {
  /** PROMETHEUS__METRICS_PATH. */
  readonly path: string;
  /** METRICS_BEARER_TOKEN; empty: none is asked for. */
  readonly bearerToken: string;
  /** What `telemetryHandle()` gave; undefined when the process was started without `--import ./otel/register`. */
  readonly telemetry: Telemetry | undefined;
  /** Told of each scrape that was answered; absent: nobody waits for them. */
  readonly scrapes?: Pick<Scrapes, "answered">;
}

/** Who scrapes again and again says how long it waits; a person with a browser or curl does not. */
function scraperOf({ headers, socket }: IncomingMessage): string | undefined {
  if (headers["x-prometheus-scrape-timeout-seconds"] === undefined) return undefined;
  return `${socket.remoteAddress} ${headers["user-agent"] ?? ""}`;
}

function answerProblem(response: ServerResponse, status: number, title: string, code: string, detail: string): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/problem+json");
  response.end(JSON.stringify({ type: "about:blank", title, status, detail, code }));
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Constant-time: digests are compared, so that neither content nor length shows in the time. */
function isAuthorized(request: IncomingMessage, bearerToken: string): boolean {
  if (bearerToken === "") return true;
  const sent = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
  return timingSafeEqual(digest(sent), digest(bearerToken));
}

/** Whether gzip may be sent (RFC 9110, section 12.5.3); q=0 forbids it. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  const codings = new Map(
    String(header ?? "")
      .toLowerCase()
      .split(",")
      .map((part) => {
        const [coding = "", ...parameters] = part.split(";").map((each) => each.trim());
        const quality = parameters.find((each) => each.startsWith("q="));
        return [coding, quality === undefined ? 1 : Number(quality.slice(2))];
      }),
  );
  return (codings.get("gzip") ?? codings.get("*") ?? 0) > 0;
}

async function answerMetrics(
  request: IncomingMessage,
  response: ServerResponse,
  endpoint: MetricsEndpoint,
): Promise<void> {
  response.setHeader("Cache-Control", "no-store");
  if (!isAuthorized(request, endpoint.bearerToken)) {
    response.setHeader("WWW-Authenticate", "Bearer");
    return answerProblem(
      response,
      401,
      "Unauthorized",
      "UNAUTHORIZED",
      "Send METRICS_BEARER_TOKEN as Authorization: Bearer.",
    );
  }
  if (endpoint.telemetry?.state !== "on") {
    const reason =
      "This process was started without --import ./otel/register, so nothing is measured. Start it with npm start.";
    return answerProblem(response, 503, "Service Unavailable", "TELEMETRY_OFF", reason);
  }
  const beganMs = performance.now();
  const timeout = request.headers["x-prometheus-scrape-timeout-seconds"];
  allowScrapeTime(Array.isArray(timeout) ? timeout[0] : timeout);
  try {
    const { body, contentType } = await endpoint.telemetry.render(request.headers.accept);
    const isCompressed = acceptsGzip(request.headers["accept-encoding"]);
    const bytes = isCompressed ? await compress(body, { level: 1 }) : body;
    const scraper = scraperOf(request);
    if (scraper !== undefined) response.once("finish", () => endpoint.scrapes?.answered(scraper, beganMs));
    // The status is set only now, when the outcome is known: the official exporter answers 200 to a failed collection.
    response.statusCode = 200;
    response.setHeader("Content-Type", contentType);
    response.setHeader("Vary", "Accept, Accept-Encoding");
    response.setHeader("Content-Length", bytes.byteLength);
    if (isCompressed) response.setHeader("Content-Encoding", "gzip");
    response.end(bytes);
  } catch (error) {
    diag.error("/metrics failed", error);
    answerProblem(
      response,
      500,
      "Internal Server Error",
      "COLLECTION_FAILED",
      "The metrics could not be collected; see the log.",
    );
  }
}

const isOff = (telemetry: Telemetry | undefined): boolean => telemetry?.state === "disabled";

function answerWrongMethod(response: ServerResponse): void {
  response.setHeader("Allow", "GET, HEAD");
  answerProblem(response, 405, "Method Not Allowed", "METHOD_NOT_ALLOWED", "This path takes GET, HEAD.");
}

/** Mounts /metrics; nothing where they are switched off or only sent elsewhere, so that it is 404 there. */
export function mountMetrics(app: Express, endpoint: MetricsEndpoint): void {
  if (isOff(endpoint.telemetry)) return;
  app.get(endpoint.path, (request, response) => answerMetrics(request, response, endpoint));
  app.all(endpoint.path, (_request, response) => answerWrongMethod(response));
}

/**
 * A server of /metrics alone, for METRICS_PORT; not listening yet. Its own requests are not measured.
 * Undefined when metrics are switched off.
 */
export function createMetricsServer(endpoint: MetricsEndpoint): Server | undefined {
  if (isOff(endpoint.telemetry)) return undefined;
  const server = createServer(arrivalLimits, (request, response) => {
    if (!hasOneHost(request))
      return answerProblem(
        response,
        400,
        "Bad Request",
        "HOST_INVALID",
        "Send one Host header (RFC 9112, section 3.2).",
      );
    const path = (request.url ?? "").split("?", 1)[0];
    if (path !== endpoint.path)
      return answerProblem(response, 404, "Not Found", "NOT_FOUND", `Metrics are at ${endpoint.path}.`);
    if (request.method !== "GET" && request.method !== "HEAD") return answerWrongMethod(response);
    // It catches its own faults; what is left can only be a socket that is gone.
    answerMetrics(request, response, endpoint).catch((error: unknown) => diag.error("/metrics failed", error));
  });
  leaveUnmeasured(server);
  return server;
}
