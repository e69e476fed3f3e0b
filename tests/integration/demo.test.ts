import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { startService } from "../support/service.ts";

async function runDemo(
  options: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ["tests/support/demo.ts", ...options], { env: { PATH, HOME, ...env } });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

test("the demo runs against a service with keys, metrics of another name elsewhere, and datasets that stay", async () => {
  const hash = createHash("sha256").update("demo-key").digest("hex");
  const service = await startService({
    env: {
      API_KEYS: `demo:${hash}`,
      METRICS_BEARER_TOKEN: "scrape",
      PROMETHEUS__METRICS_PATH: "/internal/metrics",
      PROMETHEUS__METRIC_NAMESPACE: "acme",
    },
  });
  try {
    const there = ["--url", `${service.url}/`, "--metrics-url", `${service.url}/internal/metrics`];
    const keyless = await runDemo(there, { METRICS_BEARER_TOKEN: "scrape" });
    expect([keyless.code, keyless.stderr]).toEqual([1, expect.stringContaining("API_KEY")]);
    const blind = await runDemo(there, { API_KEY: "demo-key" });
    expect([blind.code, blind.stderr]).toEqual([1, expect.stringContaining("METRICS_BEARER_TOKEN")]);

    const { code, stdout } = await runDemo(there, { API_KEY: "demo-key", METRICS_BEARER_TOKEN: "scrape" });
    const agreement = Object.fromEntries(
      stdout
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => line.split(/ {2,}/))
        .map(([what = "", ...cells]) => [what, cells]),
    );
    expect(agreement).toMatchObject({
      "uploads accepted": ["3", "3", "yes"],
      "uploads rejected": ["2", "2", "yes"],
      "runs succeeded": ["6", "6", "yes"],
      "predictions succeeded": ["12", "12", "yes"],
      "datasets expired": ["not shown", "not shown", "-"],
    });
    expect(stdout).not.toContain("NO");
    expect(code).toBe(0);
  } finally {
    await service.stop();
  }
});

test("what others do on a running service meanwhile is told apart from what the demo did", async () => {
  const service = await startService({
    env: { DATASET_TTL_DAYS: "0.0002", DATASET_TTL_CHECK_INTERVAL_SECONDS: "1" },
  });
  try {
    const others = new AbortController();
    // Somebody else, whose datasets come and expire as long as the demo runs.
    const busy = (async () => {
      for (let index = 0; !others.signal.aborted; index += 1) {
        await service.upload(`a,label\n${index},x\n${index + 1},y\n`, { name: `other-${index}` });
        await delay(300, undefined, { signal: others.signal }).catch(() => {});
      }
    })();
    const { code, stdout, stderr } = await runDemo(["--url", service.url]);
    others.abort();
    await busy;
    const lineOf = (what: string): string => stdout.split("\n").find((line) => line.startsWith(what)) ?? "";
    expect(lineOf("datasets expired"), stderr).toMatch(/^datasets expired +3 +\d+ +yes, and [1-9]\d* of others$/);
    expect(lineOf("uploads accepted")).toMatch(/^uploads accepted +3 +\d+ +yes, and [1-9]\d* of others$/);
    expect(lineOf("runs succeeded")).toMatch(/^runs succeeded +6 +6 +yes$/);
    expect(code).toBe(0);
  } finally {
    await service.stop();
  }
});

test("the demo says how it is used", async () => {
  const { code, stderr } = await runDemo(["--link", "http://127.0.0.1"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("Usage: npm run demo")]);
});
