import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
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

test("the demo says how it is used", async () => {
  const { code, stderr } = await runDemo(["--link", "http://127.0.0.1"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("Usage: npm run demo")]);
});
