import { connect } from "node:net";
import { expect, test } from "vitest";
import { attributeSetLimit } from "../../otel/api/catalogue/attribute-sets.ts";
import { catalogue } from "../../otel/api/catalogue/catalogue.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";

const duration = "http_server_request_duration_seconds_count";
const id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";

/** Sends those bytes on a connection of their own, and is told of nothing; `isBroken`: goes away at once. */
function throwAt(service: RunningService, bytes: string, isBroken = false): Promise<void> {
  const { hostname, port } = new URL(service.url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(bytes, () => {
        if (isBroken) socket.destroy();
      });
    });
    socket.on("data", () => socket.end());
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    setTimeout(() => socket.destroy(), 2_000).unref();
  });
}

/** What anybody can let happen at a route, most of all while no keys are asked for: refusals, damaged bodies, headers that nobody takes. */
const requests = (method: string, path: string): string[] => {
  const begin = `${method} ${path} HTTP/1.1\r\n`;
  return [
    `${begin}Host: localhost\r\nConnection: close\r\n\r\n`,
    `${begin}Host: evil.example\r\nConnection: close\r\n\r\n`,
    `${begin}Connection: close\r\n\r\n`,
    `${begin}Host: localhost\r\nExpect: nothing\r\nConnection: close\r\n\r\n`,
    `${begin}Host: localhost\r\nTransfer-Encoding: gzip\r\n\r\nabc`,
    `${begin}Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;${"a".repeat(20_000)}\r\nx\r\n`,
    `${begin}Host: localhost\r\nAuthorization: Bearer nobody\r\nConnection: close\r\n\r\n`,
  ];
};

async function setsOf(service: RunningService): Promise<string[]> {
  const { text } = await service.call("GET", "/metrics");
  return text.split("\n").filter((line) => line.startsWith(`${duration}{`));
}

test("whatever strangers try at every route, the first answer of a kind still has a series of its own", async () => {
  const service = await startService();
  try {
    const { paths } = (await service.call("GET", "/api/openapi.json")).json as { paths: Record<string, object> };
    const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];
    const places = [...Object.keys(paths).map((path) => path.replaceAll(/\{\w+\}/g, id)), "/nowhere", "/api/health"];
    for (const path of places) {
      await Promise.all(
        methods.flatMap((method) => [
          ...requests(method, path).map((bytes) => throwAt(service, bytes)),
          throwAt(service, `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nab`, true),
        ]),
      );
    }
    const before = await setsOf(service);
    // It did fill what was once the limit, so it tries enough.
    expect(before.length).toBeGreaterThan(100);
    expect(before.length).toBeLessThan(attributeSetLimit(catalogue.httpRequestDuration) * 0.5);
    expect(before.join("\n")).not.toContain("otel_metric_overflow");

    expect((await service.upload("a,b\n1,2\n2,3\n")).status).toBe(201);
    const upload = { http_route: "/api/ml/v1/datasets/upload", http_response_status_code: "201" };
    await eventually(async () => (await service.metric(duration, upload)) === 1);
    expect(await service.metric("mlops_backend_metrics_dropped_total")).toBe(0);
  } finally {
    await service.stop();
  }
});
