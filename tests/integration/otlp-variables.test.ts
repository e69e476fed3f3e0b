import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { makeAuthority } from "../support/certificates.ts";
import { eventually, startService } from "../support/service.ts";

const resources: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of resources.splice(0).reverse()) await stop();
});

// A bare machine may lack openssl.
test.runIf(spawnSync("openssl", ["version"]).status === 0)(
  "headers for all and, in a file, for one signal, an authority and a certificate of one's own, and compression reach the endpoint",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "otlp-variables-"));
    resources.push(() => rm(folder, { recursive: true, force: true }));
    const authority = makeAuthority(folder, "authority");
    const [endpoint, ours] = [authority.issue("endpoint", "IP:127.0.0.1"), authority.issue("ours")];
    const headersFile = join(folder, "headers");
    await writeFile(headersFile, "authorization=Basic%20bDpr\n");
    const seen = new Map<string, IncomingHttpHeaders>();
    const server = createServer(
      {
        cert: await readFile(endpoint.cert),
        key: await readFile(endpoint.key),
        ca: await readFile(authority.cert),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (request, response) => {
        seen.set(request.url ?? "", request.headers);
        request.resume().on("end", () => response.writeHead(200).end());
      },
    ).listen(0, "127.0.0.1");
    resources.push(async () => {
      server.close().closeAllConnections();
    });
    await once(server, "listening");
    const service = await startService({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: `https://127.0.0.1:${(server.address() as AddressInfo).port}/otlp`,
        OTEL_EXPORTER_OTLP_CERTIFICATE: authority.cert,
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: ours.cert,
        OTEL_EXPORTER_OTLP_CLIENT_KEY: ours.key,
        OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
        OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=team%20a",
        OTEL_EXPORTER_OTLP_LOGS_HEADERS_FILE: headersFile,
        OTEL_METRICS_EXPORTER: "otlp",
        OTEL_METRIC_EXPORT_INTERVAL: "5000",
        OTEL_BSP_SCHEDULE_DELAY: "50",
        OTEL_BLRP_SCHEDULE_DELAY: "50",
      },
    });
    resources.push(() => service.stop());
    await service.call("GET", "/datasets");
    await eventually(async () => seen.size === 3);
    expect([...seen.keys()].sort()).toEqual(["/otlp/v1/logs", "/otlp/v1/metrics", "/otlp/v1/traces"]);
    for (const headers of seen.values())
      expect(headers).toMatchObject({ "content-encoding": "gzip", "x-tenant": "team a" });
    expect(seen.get("/otlp/v1/logs")).toHaveProperty("authorization", "Basic bDpr");
    expect(seen.get("/otlp/v1/traces")).not.toHaveProperty("authorization");
  },
);
