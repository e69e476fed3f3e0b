import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { startService } from "../support/service.ts";

/** What is said to a request with these lines of headers. */
async function said(address: string, path: string, headers: readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(address).port), "127.0.0.1").setEncoding("utf8");
  let text = "";
  socket.on("data", (chunk) => (text += chunk));
  socket.write(`GET ${path} HTTP/1.1\r\n${headers.join("\r\n")}\r\nConnection: close\r\n\r\n`);
  await once(socket, "close");
  return text;
}

test("two Host headers are 400, on both ports, and counted with the malformed requests", async () => {
  const metricsPort = await freePort();
  const service = await startService({ env: { METRICS_PORT: String(metricsPort) } });
  const metricsUrl = `http://127.0.0.1:${metricsPort}`;
  try {
    const two = ["Host: 127.0.0.1", "Host: another.example"];
    for (const path of ["/api/ml/v1/datasets", "/api/health/live", "/nowhere"]) {
      const answer = await said(service.url, path, two);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain("application/problem+json");
      expect(answer).toContain('"code":"HOST_INVALID"');
    }
    expect(await said(metricsUrl, "/metrics", two)).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"HOST_INVALID"/);
    expect(await said(service.url, "/api/ml/v1/datasets", ["hOST: 127.0.0.1", "X-Host: a"])).toMatch(
      /^HTTP\/1\.1 200 /,
    );
    const metrics = await said(metricsUrl, "/metrics", ["Host: 127.0.0.1"]);
    const counted = metrics
      .split("\n")
      .filter((line) => line.startsWith("http_server_request_duration_seconds_count") && line.includes("parse_error"));
    expect(counted).toEqual([expect.stringMatching(/ 3$/)]);
    expect(counted[0]).toContain('http_response_status_code="400"');
    expect(counted[0]).toContain('http_route="unmatched"');
  } finally {
    await service.stop();
  }
});
