import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recordedSeries } from "../../infra/monitoring/queries/recorded-series.ts";
import { longTermSeries } from "../../infra/monitoring/remote-write.ts";
import { ruleFiles } from "../../infra/monitoring/rules/rule-files.ts";
import { defaultPrefix } from "../../otel/api/catalogue/metric-names.ts";
import { freePort } from "../support/free-port.ts";
import { eventually, OwnProcess, root, startService } from "./processes.ts";
import { type PrometheusProcess, type Series, startPrometheus } from "./prometheus-process.ts";

const folder = mkdtempSync(join(tmpdir(), "mlops-backend-remote-write-"));
const resources = new AsyncDisposableStack();
resources.defer(() => rmSync(folder, { recursive: true, force: true }));
afterAll(() => resources.disposeAsync());

/** With the samples of a range. */
type Range = Pick<Series, "metric"> & { readonly values: [number, string][] };
type Ask = (expression: string, atSeconds?: number) => Promise<Range[]>;

let prometheus: PrometheusProcess;
let ofPrometheus: Ask;
let ofStore: Ask;

const asking =
  (url: string): Ask =>
  async (expression, atSeconds) => {
    const parameters = new URLSearchParams({ query: expression });
    if (atSeconds !== undefined) parameters.set("time", String(atSeconds));
    const answer = await fetch(`${url}/api/v1/query?${parameters}`);
    const body = (await answer.json()) as { status: string; error?: string; data: { result: Range[] } };
    if (body.status !== "success") throw new Error(`${expression}: ${body.error}`);
    return body.data.result;
  };

/** A Prometheus that asks nobody and takes what it is sent. */
async function startStore(): Promise<string> {
  const place = join(folder, "store");
  mkdirSync(place);
  writeFileSync(join(place, "prometheus.yml"), "{}\n");
  const address = `127.0.0.1:${await freePort()}`;
  const parameters = [
    `--config.file=${join(place, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(place, "tsdb")}`,
    `--web.listen-address=${address}`,
    "--web.enable-remote-write-receiver",
  ];
  resources.use(new OwnProcess(process.env.PROMETHEUS_BIN ?? "prometheus", parameters));
  return `http://${address}`;
}

beforeAll(async () => {
  const { service, url } = await startService(join(folder, "data"), { PROMETHEUS__CREATED: "true" });
  resources.use(service);
  const store = await startStore();
  prometheus = await startPrometheus({
    folder: join(folder, "prometheus"),
    target: new URL(url).host,
    replica: "a",
    longTermStore: store,
    // Five minutes are three seconds: every rule has written within the test.
    rules: ruleFiles({ prefix: defaultPrefix, timeScale: 1 / 100 }),
  });
  resources.use(prometheus.process);
  ofPrometheus = asking(prometheus.url);
  ofStore = asking(store);
  await eventually("every rule has written, and it has arrived", 90, async () => {
    await fetch(`${url}/api/ml/v1/datasets`);
    const names = new Set((await ofStore('{__name__=~".+"}')).map(({ metric }) => metric.__name__));
    const missing = longTermSeries(defaultPrefix).filter((name) => !names.has(name));
    if (missing.length > 0) throw new Error(`missing: ${missing.join(", ")}`);
    return true;
  });
});

test("the store has the objectives' series, sample by sample, under the labels of who sent them", async () => {
  const toSeconds = Date.now() / 1000;
  const selector = `{__name__=~"${longTermSeries(defaultPrefix).join("|")}",job="backend"}[20s]`;
  const samples = (list: readonly Range[], more: Record<string, string>): Map<string, [number, string][]> =>
    new Map(
      list.map(({ metric, values }) => [JSON.stringify(Object.entries({ ...metric, ...more }).toSorted()), values]),
    );
  // Both anew each time: a rule writes a while after the time that its sample has.
  const sent = await eventually("all of it has arrived", 30, async () => {
    const now = await ofPrometheus(selector, toSeconds);
    const arrived = samples(await ofStore(selector, toSeconds), {});
    expect(arrived).toEqual(samples(now, { cluster: "production", replica: "a" }));
    return now;
  });
  expect(new Set(sent.map(({ metric }) => metric.__name__))).toEqual(new Set(longTermSeries(defaultPrefix)));
  expect(new Set(sent.map(({ metric }) => metric.objective)).size).toBeGreaterThan(2);
});

test("nothing else was sent, though there is much", async () => {
  const names = async (ask: Ask): Promise<string[]> =>
    (await ask('group by (__name__) (last_over_time({__name__=~".+"}[10m]))')).map(
      ({ metric }) => metric.__name__ ?? "",
    );
  expect((await names(ofStore)).toSorted()).toEqual(longTermSeries(defaultPrefix).toSorted());
  expect((await names(ofPrometheus)).length).toBeGreaterThan(100);
  // `up` of what watches the service is not the service's.
  expect((await ofStore("group by (job) (last_over_time(up[10m]))")).map(({ metric }) => metric.job)).toEqual([
    "backend",
  ]);
});

test("what docs/operations.md asks of both is answered", async () => {
  const blocks = readFileSync(join(root, "docs/operations.md"), "utf8").matchAll(/^```promql\n(.*?)^```$/gms);
  const [behind = "", quarter = ""] = [...blocks].map(([, text]) => text ?? "");
  // A scrape that took over its second leaves no sample now; the next one follows.
  await eventually("how far the store is behind", 60, async () => {
    expect(await prometheus.query(behind)).toHaveLength(1);
    return true;
  });
  await eventually("a quarter's availability", 60, async () => {
    expect(await prometheus.query(quarter.replaceAll("90d", "1m"))).toMatchObject([{ metric: { job: "backend" } }]);
    return true;
  });
  expect(Object.keys(recordedSeries).filter((name) => quarter.includes(name))).toHaveLength(2);
});

test("the example as it is committed is a configuration that Prometheus takes", () => {
  const promtool = process.env.PROMTOOL_BIN ?? "promtool";
  const example = "infra/monitoring/prometheus/remote-write.example.yml";
  execFileSync(promtool, ["check", "config", "--lint=all", "--lint-fatal", example], { cwd: root });
});
