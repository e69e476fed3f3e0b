import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { DiagLogLevel, diag } from "@opentelemetry/api";
import express from "express";
import { afterEach, expect, test, vi } from "vitest";
import type { Telemetry } from "../../../otel/api/telemetry.ts";
import { createMetricsServer, type MetricsEndpoint, mountMetrics } from "../../../src/http/metrics-endpoint.ts";

const servers: Server[] = [];
afterEach(() => {
  diag.disable();
  for (const server of servers.splice(0)) server.close();
});

const whole = Buffer.from("up 1\n".repeat(400));

/** Its first collection fails, each after it comes. */
function failingOnce(): MetricsEndpoint {
  const render = vi
    .fn<Telemetry["render"]>()
    .mockResolvedValue({ body: whole, contentType: "text/plain; version=0.0.4" })
    .mockRejectedValueOnce(new Error("no such instrument: secret-detail"));
  return { path: "/metrics", bearerToken: "", telemetry: { state: "on", render, shutdown: async () => {} } };
}

const places: Record<string, (endpoint: MetricsEndpoint) => Server> = {
  "a server of its own": (endpoint) => createMetricsServer(endpoint)!,
  "the API's server": (endpoint) => {
    const app = express();
    mountMetrics(app, endpoint);
    return createServer(app);
  },
};

async function listening(server: Server): Promise<string> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
}

test.each(Object.keys(places))(
  "on %s a collection that fails is a 500 with its code, the next scrape comes",
  async (place) => {
    const logged = vi.fn();
    diag.setLogger({ error: logged, warn() {}, info() {}, debug() {}, verbose() {} }, DiagLogLevel.ERROR);
    const url = await listening(places[place]!(failingOnce()));

    const failed = await fetch(url);
    expect(failed.status).toBe(500);
    expect(failed.headers.get("content-type")).toBe("application/problem+json");
    expect(failed.headers.get("cache-control")).toBe("no-store");
    const text = await failed.text();
    expect(JSON.parse(text)).toEqual({
      type: "about:blank",
      title: "Internal Server Error",
      status: 500,
      code: "COLLECTION_FAILED",
      detail: "The metrics could not be collected; see the log.",
    });
    // What went wrong is for the log, not for whoever scrapes.
    expect(logged).toHaveBeenCalledExactlyOnceWith(
      "/metrics failed",
      expect.objectContaining({ message: expect.stringContaining("secret-detail") }),
    );

    const next = await fetch(url, { headers: { "accept-encoding": "identity" } });
    expect([next.status, Buffer.from(await next.arrayBuffer())]).toEqual([200, whole]);
  },
);
