import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generatedFiles } from "../../infra/monitoring/generate/generate.ts";
import { histogramNames, nativeQuery } from "../../infra/monitoring/native-histograms.ts";
import { ruleGroups } from "../../infra/monitoring/rules/rule-files.ts";
import { defaultPrefix } from "../../otel/api/catalogue/metric-names.ts";
import { freePort } from "../support/free-port.ts";
import { promqlOf } from "../support/promql-of.ts";
import { eventually, OwnProcess, startService } from "./processes.ts";

interface Series {
  readonly metric: Record<string, string>;
  readonly value?: [number, string];
  /** Of a native histogram, in place of a value. */
  readonly histogram?: [
    number,
    { readonly count: string; readonly buckets?: readonly [rule: number, from: string, to: string, count: string][] },
  ];
}

const folder = mkdtempSync(join(tmpdir(), "mlops-backend-native-"));
const resources = new AsyncDisposableStack();
afterAll(() => resources.disposeAsync());
let prometheusUrl = "";

/** What the two jobs are given, one after the other, and the time of the last one. */
const scrapes: string[] = [];
let endMs = 0;
const rangeMs = 300_000;

async function query(expression: string): Promise<Series[]> {
  const answer = await fetch(
    `${prometheusUrl}/api/v1/query?${new URLSearchParams({ query: expression, time: String(endMs / 1000) })}`,
  );
  const body = (await answer.json()) as { status: string; error?: string; data: { result: Series[] } };
  if (body.status !== "success") throw new Error(`${expression}: ${body.error}`);
  return body.data.result;
}

/**
 * Gives each job the same scrapes with the same times, spread over the range from its very beginning: the two differ in
 * how they keep a histogram and in nothing else, and nothing is extrapolated.
 * @returns its address, and what resolves when both have had all
 */
async function replay(): Promise<{ address: string; isOver: Promise<void> }> {
  const { promise: isOver, resolve } = Promise.withResolvers<void>();
  const isDone = new Map([
    ["classic", false],
    ["native", false],
  ]);
  endMs = Date.now();
  // A range is open to the left, so a millisecond is between its beginning and the first sample.
  const firstMs = endMs - rangeMs + 1;
  /** How many it has: on a busy machine a scrape may take too long, and is given again. */
  const takenBy = async (job: string): Promise<number> => {
    const [count] = await query(`count_over_time(mlops_backend_state_readable{job="${job}"}[5m])`);
    return Number(count?.value?.[1] ?? 0);
  };
  const give = async (job: string, response: ServerResponse): Promise<void> => {
    const taken = await takenBy(job);
    isDone.set(job, taken === scrapes.length);
    if ([...isDone.values()].every((done) => done)) resolve();
    const shown = Math.min(taken, scrapes.length - 1);
    const ms = Math.round(firstMs + (shown * (endMs - firstMs)) / (scrapes.length - 1));
    response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
    response.end(scrapes[shown]?.replaceAll(/^([^#\n].*)$/gm, `$1 ${ms}`));
  };
  const server = createServer((request, response) => {
    // A scrape that has no answer is one that comes again.
    give(request.url?.slice(1) ?? "", response).catch(() => response.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  resources.defer(() => void server.close().closeAllConnections());
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, isOver };
}

/** The same scrapes under two jobs: with histograms as they are, and as native ones. */
async function startPrometheus(target: string): Promise<void> {
  const job = (name: string, isNative: boolean) => ({
    job_name: name,
    metrics_path: `/${name}`,
    static_configs: [{ targets: [target] }],
    convert_classic_histograms_to_nhcb: isNative,
  });
  const file = join(folder, "prometheus.yml");
  const global = { scrape_interval: "300ms", scrape_timeout: "300ms" };
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
    .replaceAll("$__range", "5m")
    // All look back as far as there are scrapes.
    .replaceAll(/\[(\d+(ms|[smhd]))+\]/g, "[5m]");

/** Values by the labels but the job; NaN is nothing. */
function byLabels(series: readonly Series[]): Record<string, number> {
  const entries = series.map(({ metric: { job: _, ...labels }, value }) => [
    JSON.stringify(labels),
    Number(value?.[1]),
  ]);
  return Object.fromEntries(entries.filter(([, value]) => !Number.isNaN(value)));
}

/**
 * A native histogram of custom bounds keeps each bucket of the classic one, so that nothing is lost in it: what is left is
 * the millisecond before the first sample, 1 of 300,000, by which a bucket that begins with 0 is not extrapolated.
 */
const leftOver = 1e-4;
/** Whether it is one of those, or between them. */
function expectSame(found: number, expected: readonly number[], what: string): void {
  const lowest = Math.min(...expected);
  const highest = Math.max(...expected);
  expect(found, what).toBeGreaterThanOrEqual(lowest - Math.abs(lowest) * leftOver - 1e-9);
  expect(found, what).toBeLessThanOrEqual(highest + Math.abs(highest) * leftOver + 1e-9);
}
/** The same with quantiles a little lower or higher: where just half are in the lower buckets, a median jumps. */
const besides = (expression: string): string[] =>
  [-1e-5, 0, 1e-5].map((shift) =>
    expression.replaceAll(
      /histogram_quantile\(([\d.]+)/g,
      (_, quantile) => `histogram_quantile(${Number(quantile) + shift}`,
    ),
  );

beforeAll(async () => {
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  // On a port of its own a scrape is not measured as a request.
  const metricsPort = String(await freePort());
  const { service, url } = await startService(join(folder, "data"), { METRICS_PORT: metricsPort });
  resources.use(service);
  const scrape = async (): Promise<number> =>
    scrapes.push(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text());
  // Series that come with their first event are there before anything is counted.
  await use(url, "first");
  await scrape();
  const used = use(url, "second");
  const isUsed = used.then(() => true);
  while (!(await Promise.race([isUsed, delay(500, false)]))) await scrape();
  await scrape();
  const { address, isOver } = await replay();
  await startPrometheus(address);
  await isOver;
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
    // A heat map takes the histogram itself: the same bounds, and within each the same number.
    const { count = "0", buckets = [] } = native[0]?.histogram?.[1] ?? {};
    const upTo = (bound: number): number =>
      buckets
        .filter(([, , to]) => Number(to.replace("+Inf", "Infinity")) <= bound)
        .reduce((sum, [, , , each]) => sum + Number(each), 0);
    expect(classic.length).toBeGreaterThan(5);
    for (const { metric, value } of classic)
      expectSame(metric.le === "+Inf" ? Number(count) : upTo(Number(metric.le)), [Number(value?.[1])], metric.le ?? "");
    return;
  }
  const [expected, found] = [byLabels(classic), byLabels(native)];
  expect(Object.keys(found).toSorted()).toEqual(Object.keys(expected).toSorted());
  const near = await Promise.all(
    besides(filled(expression, "classic")).map(async (each) => byLabels(await query(each))),
  );
  for (const labels of Object.keys(expected)) {
    const values = near.flatMap((each) => each[labels] ?? []);
    expectSame(found[labels] ?? Number.NaN, values, labels);
  }
});
