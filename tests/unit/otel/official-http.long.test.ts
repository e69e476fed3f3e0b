import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { MeasuredProcess } from "../../bench/measured-process.ts";

const file = new URL("../../../infra/monitoring/official-http.json", import.meta.url);

/** A line of the table in docs/metrics.md. */
interface Difference {
  readonly traffic: string;
  readonly official: string;
  readonly ours: string;
  readonly reason: string;
}

function raw(port: number, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    socket.on("data", () => socket.end());
    socket.write(text);
  });
}

/** Goes away in the middle, once the server has said that it has the request. */
async function breakOff(port: number): Promise<void> {
  const headers = { "content-length": "5000", expect: "100-continue" };
  const request = httpRequest({ port, host: "127.0.0.1", path: "/api/bodies", method: "POST", headers });
  request.on("error", () => {});
  request.flushHeaders();
  await once(request, "continue");
  await new Promise((resolve) => request.write("x".repeat(100), resolve));
  request.destroy();
}

const traffic: Record<string, (url: string, port: number) => Promise<unknown>> = {
  "GET /items/42": (url) => fetch(`${url}/items/42`),
  "a router's route whose handler fails": (url) => fetch(`${url}/api/fails/7`),
  "a path without a route": (url) => fetch(`${url}/wp-login.php`),
  "a method that the path does not take": (url) => fetch(`${url}/api/bodies`, { method: "DELETE" }),
  "POST of 5,000 bytes, answered in chunks": (url) =>
    fetch(`${url}/api/bodies`, { method: "POST", body: "z".repeat(5000) }),
  "HEAD /items/42": (url) => fetch(`${url}/items/42`, { method: "HEAD" }),
  "a method that nobody knows": (_url, port) =>
    raw(port, "PROPFIND /items/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
  "no HTTP at all": (_url, port) => raw(port, "GARBAGE\r\n\r\n"),
  "an upload that the client breaks off": (_url, port) => breakOff(port),
};

const shownLabels = ["http_request_method", "http_route", "http_response_status_code", "error_type"];

/** What /metrics says of requests other than its own, by label set. */
async function readings(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, labelText = "", value] = /^(http_server_\w+?)\{(.*)\} (\S+)$/.exec(line) ?? [];
    if (name === undefined || !/(_count|body_size\w*_sum)$/.test(name) || labelText.includes('"/metrics"')) continue;
    const labels = new Map([...labelText.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key!, text!]));
    const shown = shownLabels.filter((label) => (labels.get(label) ?? "") !== "").map((label) => labels.get(label));
    const what = name.replace("http_server_", "").replace(/_seconds|_bytes/g, "");
    if (what === "request_duration_count") found.set(`counted: ${shown.join(" ")}`, Number(value));
    else if (what.endsWith("_sum"))
      found.set(`${what.replace("_body_size_sum", " bytes")}: ${shown.join(" ")}`, Number(value));
  }
  return found;
}

/** What stands in `after` and not in `before`, in words. */
function added(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string {
  const changes: string[] = [];
  for (const [what, value] of after) {
    const more = value - (before.get(what) ?? 0);
    if (more === 0) continue;
    const [kind = "", labels = ""] = what.split(": ");
    changes.push(kind === "counted" ? labels : `${more} ${kind}`);
  }
  return changes.length === 0 ? "nothing" : [...new Set(changes)].join(", ");
}

/** What one kind of traffic adds; waits for what is expected, and for what is never counted a good while. */
async function observe(
  url: string,
  send: (url: string, port: number) => Promise<unknown>,
  expected: string | undefined,
): Promise<string> {
  const before = await readings(url);
  await send(url, Number(new URL(url).port));
  const now = async () => added(before, await readings(url));
  if (expected === undefined || expected === "nothing") await delay(2_000);
  else await expect.poll(now).toBe(expected);
  return now();
}

test("what the official instrumentation says of the same traffic is in the table of docs/metrics.md", async () => {
  await using official = await MeasuredProcess.start(["tests/bench/servers/item-app.cts"], {
    BENCH_VARIANT: "official-routes",
  });
  await using ours = await MeasuredProcess.start(["--import", "./otel/register", "tests/bench/servers/item-app.cts"], {
    BENCH_VARIANT: "ours",
  });
  const committed = JSON.parse(readFileSync(file, "utf8")) as Difference[];
  const rows: Difference[] = [];
  for (const [name, send] of Object.entries(traffic)) {
    const known = committed.find((row) => row.traffic === name);
    const expected = process.env.UPDATE_OFFICIAL_HTTP === "1" ? undefined : known;
    rows.push({
      traffic: name,
      official: await observe(official.url, send, expected?.official),
      ours: await observe(ours.url, send, expected?.ours),
      reason: known?.reason ?? "",
    });
  }
  if (process.env.UPDATE_OFFICIAL_HTTP === "1") writeFileSync(file, `${JSON.stringify(rows, undefined, 2)}\n`);
  else expect(rows).toEqual(committed);
  for (const { official: theirs, ours: own, reason } of rows) expect(theirs === own || reason !== "").toBe(true);
});
