import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generatedFiles } from "../../infra/monitoring/generate.ts";
import { histogramNames, nativeQuery } from "../../infra/monitoring/native-histograms.ts";
import { ruleGroups } from "../../infra/monitoring/rules/rule-files.ts";
import { defaultPrefix } from "../../otel/catalogue.ts";
import { promqlOf } from "../support/promql-of.ts";
import { eventually, freePort, OwnProcess, startService } from "./processes.ts";

interface Series {
  readonly metric: Record<string, string>;
  readonly value?: [number, string];
  readonly values?: [number, string][];
  /** Of a native histogram, in place of a value. */
  readonly histogram?: [number, { readonly count: string }];
}

const folder = mkdtempSync(join(tmpdir(), "mlops-backend-native-"));
const resources = new AsyncDisposableStack();
afterAll(() => resources.disposeAsync());
let prometheusUrl = "";

async function query(expression: string): Promise<Series[]> {
  const answer = await fetch(`${prometheusUrl}/api/v1/query?${new URLSearchParams({ query: expression })}`);
  const body = (await answer.json()) as { status: string; error?: string; data: { result: Series[] } };
  if (body.status !== "success") throw new Error(`${expression}: ${body.error}`);
  return body.data.result;
}

/** The same process under two jobs: with its histograms as they are, and as native ones. */
async function startPrometheus(target: string): Promise<void> {
  const job = (name: string, isNative: boolean) => ({
    job_name: name,
    static_configs: [{ targets: [target] }],
    convert_classic_histograms_to_nhcb: isNative,
  });
  const file = join(folder, "prometheus.yml");
  const global = { scrape_interval: "500ms", scrape_timeout: "500ms" };
  writeFileSync(file, JSON.stringify({ global, scrape_configs: [job("classic", false), job("native", true)] }));
  const address = `127.0.0.1:${await freePort()}`;
  resources.use(
    new OwnProcess(process.env.PROMETHEUS_BIN ?? "prometheus", [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, "tsdb")}`,
      `--web.listen-address=${address}`,
    ]),
  );
  prometheusUrl = `http://${address}`;
}

/** So many scrapes of both jobs that began after now. */
async function moreScrapes(count: number): Promise<void> {
  const now = Date.now() / 1000;
  await eventually(`${count} more scrapes of both`, 90, async () => {
    const later = (await query("up[5m]")).map(({ values = [] }) =>
      values.filter(([time, up]) => time > now && up === "1"),
    );
    return later.length === 2 && later.every(({ length }) => length >= count) ? true : undefined;
  });
}

/** A request that takes longer than the objective allows, since its body comes late. */
async function slowRequest(url: string): Promise<void> {
  const request = httpRequest(`${url}/api/ml/v1/training-runs`, {
    method: "POST",
    headers: { "content-type": "application/json", "content-length": 2 },
  });
  request.write("{");
  await delay(700);
  request.end("}");
  const [response] = (await once(request, "response")) as [IncomingMessage];
  await once(response.resume(), "end");
}

async function use(url: string, name: string): Promise<void> {
  const api = `${url}/api/ml/v1`;
  const rows = Array.from({ length: 60 }, (_, row) => `${row % 7},${row % 2 ? "red" : "blue"},${row % 3 ? "x" : "y"}`);
  const form = new FormData();
  form.set("name", name);
  form.set("file", new Blob([`size,colour,label\n${rows.join("\n")}\n`]), "a.csv");
  const dataset = (await (await fetch(`${api}/datasets/upload`, { method: "POST", body: form })).json()) as {
    id: string;
  };
  const body = JSON.stringify({ datasetId: dataset.id, mode: "light" });
  const headers = { "content-type": "application/json" };
  const run = (await (await fetch(`${api}/training-runs`, { method: "POST", headers, body })).json()) as { id: string };
  await eventually("the run ends", 60, async () => {
    const { status } = (await (await fetch(`${api}/training-runs/${run.id}`)).json()) as { status: string };
    return status === "succeeded" ? true : undefined;
  });
  for (let count = 0; count < 10; count += 1) {
    await (await fetch(`${api}/datasets`)).text();
    await slowRequest(url);
  }
}

const histograms = histogramNames(defaultPrefix);
const dashboards = [...generatedFiles()]
  .filter(([path]) => path.includes("/grafana/dashboards/"))
  .map(([, text]) => text);
const ofDashboards = dashboards.flatMap((text) => promqlOf(JSON.parse(text)));
const ofRules = [...ruleGroups({ prefix: defaultPrefix, timeScale: 1 }).values()]
  .flat()
  .flatMap(({ rules }) => rules.map(({ expr }) => String(expr)));
const changed = [...new Set([...ofDashboards, ...ofRules])].filter((each) => nativeQuery(each, histograms) !== each);

const filled = (expression: string, job: string): string =>
  expression
    .replaceAll("$job", job)
    .replaceAll('job="backend"', `job="${job}"`)
    .replaceAll("$instance", ".+")
    .replaceAll("$__rate_interval", "5m")
    .replaceAll("$__range", "5m");

/** Values by the labels but the job; NaN is nothing. */
function byLabels(series: readonly Series[]): Record<string, number> {
  const entries = series.map(({ metric: { job: _, ...labels }, value }) => [
    JSON.stringify(labels),
    Number(value?.[1]),
  ]);
  return Object.fromEntries(entries.filter(([, value]) => !Number.isNaN(value)));
}

beforeAll(async () => {
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  // On a port of its own a scrape is not measured as a request.
  const metricsPort = String(await freePort());
  const { service, url } = await startService(join(folder, "data"), { METRICS_PORT: metricsPort });
  resources.use(service);
  // Series that come with their first event are there for both before anything is counted.
  await use(url, "first");
  await startPrometheus(`127.0.0.1:${metricsPort}`);
  await moreScrapes(1);
  await use(url, "second");
  // Each series is extrapolated by half an interval where it doesn't begin with 0, so a short one bends quantiles.
  await moreScrapes(20);
});

test("a native histogram is one series in place of many", async () => {
  const count = async (job: string): Promise<number> =>
    Number(
      (await query(`count({job="${job}",__name__=~"(${[...histograms].join("|")})(_bucket|_sum|_count)?"})`))[0]
        ?.value?.[1],
    );
  const [classic, native] = [await count("classic"), await count("native")];
  expect(native).toBeGreaterThan(20);
  expect(native).toBeLessThan(classic / 5);
});

test("there are queries and rules to compare", () => {
  expect(changed.filter((each) => ofDashboards.includes(each)).length).toBeGreaterThan(25);
  expect(changed.filter((each) => ofRules.includes(each)).length).toBeGreaterThan(8);
});

test.each(changed)("%s is the same of native histograms", async (expression) => {
  const classic = await query(filled(expression, "classic"));
  const native = await query(filled(nativeQuery(expression, histograms), "native"));
  if (/^sum by \(le\)/.test(expression)) {
    // A heat map takes the histogram itself.
    const all = classic.find(({ metric }) => metric.le === "+Inf")?.value?.[1];
    expect(Number(native[0]?.histogram?.[1].count) / Number(all)).toBeCloseTo(1, 0);
    return;
  }
  const [expected, found] = [byLabels(classic), byLabels(native)];
  // These go on while nothing is asked for.
  if (/^(?!.*http_server).*(gc_duration|db_client|collection_duration|ttl_cycle)/.test(expression)) {
    expect(Object.keys(found).length > 0).toBe(Object.keys(expected).length > 0);
    return;
  }
  expect(Object.keys(found).toSorted()).toEqual(Object.keys(expected).toSorted());
  for (const [labels, value] of Object.entries(expected)) {
    // The two are scraped at other times, so that rates differ by what is added at their edges.
    const tolerance = Math.abs(value) * 0.3 + 1e-9;
    expect(Math.abs((found[labels] ?? Number.NaN) - value), `${labels}: ${value}`).toBeLessThanOrEqual(tolerance);
  }
});
