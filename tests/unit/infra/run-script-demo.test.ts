import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { folder, program, run, settings, useScriptFolder, written } from "./script-folder.ts";

useScriptFolder();

describe("demo", () => {
  beforeEach(async () => {
    await mkdir(join(folder, "node_modules", ".bin"), { recursive: true });
    await nodeOf(process.versions.node);
  });
  /** Node itself, of this version, but for the demo. */
  const nodeOf = (version: string) =>
    program(
      "node_modules/.bin/node",
      `if [ "$1" = -e ]; then
        exec ${process.execPath} -e "Object.defineProperty(process.versions, 'node', { value: '${version}' }); $2"
      fi
      printf "%s|key %s|token %s\\n" "$*" "$API_KEY" "$METRICS_BEARER_TOKEN"`,
    );

  test("goes where .env says, with its key and token", async () => {
    await settings("SERVICE_PORT=8001\nPROMETHEUS__METRICS_PATH=/m\nMETRICS_BEARER_TOKEN='scrape'\n");
    await mkdir(join(folder, ".cache"));
    await writeFile(join(folder, ".cache", "api-key"), "secret\n");
    expect((await run("demo", "--api-key", "other")).lines).toEqual([
      "tests/support/demo.ts --url http://127.0.0.1:8001 --metrics-url http://127.0.0.1:8001/m --api-key other|key secret|token scrape",
    ]);
  });

  test("says what it lacks: metrics that it could read, or a newer Node.js", async () => {
    await settings("METRICS_PORT=9464\n");
    expect(await run("demo")).toMatchObject({ code: 1, output: expect.stringContaining("--metrics-url") });
    expect((await run("demo", "--metrics-url", "http://127.0.0.1:9/m")).code).toBe(0);
    await nodeOf("20.19.0");
    expect(await run("demo")).toMatchObject({ code: 1, output: "The demo needs Node 24: npm ci brings it.\n" });
  });
});

// A bare machine may lack curl; run.sh says so then.
describe.runIf(spawnSync("curl", ["--version"]).status === 0)("smoke", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  /** Answers these paths, and the port it does so on. */
  async function answering(answers: Record<string, string | ((request: IncomingMessage) => string)>): Promise<number> {
    const server = createServer((request, response) => {
      const answer = answers[(request.url ?? "").split("?")[0] ?? ""];
      const text = typeof answer === "function" ? answer(request) : answer;
      response.writeHead(text === undefined || text === "" ? 503 : 200).end(text);
    }).listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  async function stack(up: boolean): Promise<void> {
    const backend = await answering({
      "/api/health/ready": '{"status":"ready","failing":[]}',
      "/m": ({ headers }) => (headers.authorization === "Bearer scrape" ? "mlops_backend_build_info 1" : ""),
    });
    const result = up ? [{ metric: { job: "backend" }, value: [0, "1"] }] : [];
    const prometheus = await answering({ "/api/v1/query": JSON.stringify({ status: "success", data: { result } }) });
    const grafana = await answering({ "/api/health": '{\n  "database": "ok"\n}' });
    await settings(
      `SERVICE_PORT=${backend}\nPROMETHEUS_PORT=${prometheus}\nGRAFANA_PORT=${grafana}\n` +
        "PROMETHEUS__METRICS_PATH=/m\nMETRICS_BEARER_TOKEN=scrape\n",
    );
  }

  test("is content when all four answer as they should", async () => {
    await stack(true);
    const { code, lines } = await run("smoke");
    expect(lines).toEqual([
      "ok    backend is ready",
      "ok    metrics are served",
      "ok    Prometheus sees the backend",
      "ok    Grafana answers",
    ]);
    expect(code).toBe(0);
  });

  test("shows the token that Prometheus has, where it stands in a file of the container", async () => {
    await stack(true);
    await settings((await written(".env")).replace("METRICS_BEARER_TOKEN=scrape", "METRICS_BEARER_TOKEN_FILE=/run/t"));
    expect((await run("smoke")).lines).toContainEqual(expect.stringMatching(/^FAIL {2}metrics are served/));
    await mkdir(join(folder, ".cache/prometheus"), { recursive: true });
    await writeFile(join(folder, ".cache/prometheus/metrics-token"), "scrape");
    expect((await run("smoke")).code).toBe(0);
  });

  test("does not look for metrics that are switched off", async () => {
    await stack(false);
    await settings(`${await written(".env")}OTEL_SDK_DISABLED=true\n`);
    const { code, lines } = await run("smoke");
    expect(lines.map((line) => line.slice(0, 4))).toEqual(["ok  ", "off ", "ok  "]);
    expect(code).toBe(0);
  });

  test("names each that does not, and fails", async () => {
    await stack(false);
    await settings(`${await written(".env")}GRAFANA_PORT=1\n`);
    const { code, lines } = await run("smoke");
    expect(lines.map((line) => line.slice(0, 4))).toEqual(["ok  ", "ok  ", "FAIL", "FAIL"]);
    expect(code).toBe(1);
  });
});
