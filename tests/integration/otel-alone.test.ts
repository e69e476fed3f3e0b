import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ParsedFamily, parseExposition } from "../support/parse-exposition.ts";

const root = join(import.meta.dirname, "../..");
/** What docs/info.md shows of a file, by its name in the first line. */
const shown = new Map(
  [
    ...readFileSync(join(root, "docs/info.md"), "utf8").matchAll(/^```ts\n\/\/ ([\w./-]+)[^\n]*\n([\s\S]*?)^```$/gm),
  ].map(([, name = "", code = ""]) => [name, code]),
);
/** Somebody else's application: `otel/` and nothing else of ours. */
let folder: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "otel-alone-"));
  cpSync(join(root, "otel"), join(folder, "otel"), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
});

afterEach(async () => {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "close");
  }
  child = undefined;
  rmSync(folder, { recursive: true });
});

/** Starts `app.ts`. @returns the port that it prints */
async function start(env: Record<string, string> = {}): Promise<number> {
  // Its stdin is a pipe of ours: when this process is gone, it ends.
  const endsWithUs = "data:text/javascript,process.stdin.on('end',()=>process.exit()).resume().unref()";
  const started = spawn(process.execPath, ["--import", endsWithUs, "--import", "./otel/register", "app.ts"], {
    cwd: folder,
    env: { PATH: process.env.PATH, PORT: "0", ...env },
    stdio: "pipe",
  });
  child = started;
  let said = "";
  started.stderr.on("data", (chunk) => {
    said += String(chunk);
  });
  return new Promise((resolve, reject) => {
    createInterface({ input: started.stdout }).on("line", (line) => {
      const [, port] = /port: (\d+)/.exec(line) ?? [];
      if (port !== undefined) resolve(Number(port));
    });
    started.once("close", (code) => reject(new Error(`It ended with ${code}: ${said}`)));
  });
}

/** What it exposes, read by the grammar of the format. */
async function metricsOf(port: number, accept: string): Promise<Map<string, ParsedFamily>> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { accept } });
  expect(answer.status).toBe(200);
  const format = answer.headers.get("content-type")?.startsWith("application/openmetrics-text")
    ? "openmetrics"
    : "text";
  const families = parseExposition(new Uint8Array(await answer.arrayBuffer()), format);
  return new Map(families.map((family) => [family.name, family]));
}

/** The value of the sample with these labels. */
function sampleOf(family: ParsedFamily | undefined, name: string, labels: Record<string, string>): number | undefined {
  const wanted = Object.entries(labels);
  return family?.samples.find(
    (sample) => sample.name === name && wanted.every(([label, value]) => sample.labels.get(label) === value),
  )?.value;
}

const openMetrics = "application/openmetrics-text;version=1.0.0";
const duration = "http_server_request_duration_seconds";
const hello = { http_route: "/hello/:name", http_request_method: "GET", http_response_status_code: "200" };

test("the folder as it is gives an empty Express application a valid /metrics with its requests", async () => {
  const withoutGreetings = shown.get("app.ts")!.replaceAll(/.*greetings.*\n/g, "");
  writeFileSync(join(folder, "app.ts"), withoutGreetings);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", version: "3.2.1" }));
  const port = await start();
  for (const name of ["ada", "grace"])
    expect(await (await fetch(`http://127.0.0.1:${port}/hello/${name}`)).text()).toBe(`Hello, ${name}`);
  expect((await fetch(`http://127.0.0.1:${port}/nowhere`)).status).toBe(404);
  for (const accept of [openMetrics, "text/plain"]) {
    const families = await metricsOf(port, accept);
    expect(sampleOf(families.get(duration), `${duration}_count`, hello)).toBe(2);
    expect(sampleOf(families.get(duration), `${duration}_count`, { http_route: "unmatched" })).toBe(1);
    expect(sampleOf(families.get("mlops_backend_build_info"), "mlops_backend_build_info", { version: "3.2.1" })).toBe(
      1,
    );
  }
});

test("with a catalogue of its own it shows its own metrics under its own names, and none of ours", async () => {
  const catalogue = join(folder, "otel/api/catalogue");
  for (const name of ["datasets", "training", "predictions", "ttl", "database"]) rmSync(join(catalogue, `${name}.ts`));
  const ours = /^.*\b(dataset|training|prediction|ttl|database)Metrics\b.*\n/gm;
  const together = readFileSync(join(catalogue, "catalogue.ts"), "utf8")
    .replaceAll(ours, "")
    .replace("import", 'import { greetingMetrics } from "./greetings.ts";\nimport')
    .replace("  ...httpMetrics,", "  ...httpMetrics,\n  ...greetingMetrics,");
  writeFileSync(join(catalogue, "catalogue.ts"), together);
  for (const name of ["app.ts", "otel/api/catalogue/greetings.ts"]) writeFileSync(join(folder, name), shown.get(name)!);
  // Typed as it was: a label that is not declared would not compile.
  const { compilerOptions } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["otel", "app.ts"] }));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const compiled = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "--project", folder]);
  expect(String(compiled.stdout)).toBe("");
  rmSync(join(folder, "package.json"));
  // No package.json: Node sees by the text what is a module.
  const port = await start({ PROMETHEUS__METRIC_NAMESPACE: "shop", PROMETHEUS__METRIC_SUBSYSTEM: "web" });
  await (await fetch(`http://127.0.0.1:${port}/hello/ada`)).text();
  const families = await metricsOf(port, openMetrics);
  const greetings = families.get("shop_web_greetings");
  expect(sampleOf(greetings, "shop_web_greetings_total", { tone: "kind" })).toBe(1);
  expect(sampleOf(greetings, "shop_web_greetings_total", { tone: "curt" })).toBe(0);
  expect(sampleOf(families.get(duration), `${duration}_count`, hello)).toBe(1);
  expect(sampleOf(families.get("shop_web_build_info"), "shop_web_build_info", { version: "unknown" })).toBe(1);
  expect([...families.keys()].filter((name) => /mlops|dataset|training|prediction|ttl|db_client/.test(name))).toEqual(
    [],
  );
});

test("settings that are faulty are told by the application, and switched off there is no /metrics", async () => {
  writeFileSync(join(folder, "app.ts"), shown.get("app.ts")!);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await expect(start({ PROMETHEUS__LATENCY_BUCKETS: "slow" })).rejects.toThrow("PROMETHEUS__LATENCY_BUCKETS must be");
  const port = await start({ PROMETHEUS__ENABLED: "false" });
  expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(404);
});
