import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, freePort, OwnProcess } from "./processes.ts";

const prometheusBinary = process.env.PROMETHEUS_BIN ?? "prometheus";

interface Series {
  readonly metric: Record<string, string>;
  readonly value: [number, string];
  /** Of a range. */
  readonly values?: [number, string][];
}
/** Asks for an expression, as it was at a time or is now. */
type Query = (expression: string, atSeconds?: number) => Promise<Series[]>;
interface Job {
  readonly name: string;
  readonly targets: readonly string[];
  readonly protocol: "OpenMetricsText1.0.0" | "PrometheusText0.0.4";
}

const resources = new AsyncDisposableStack();
afterAll(() => resources.disposeAsync());

async function startProcess(env: NodeJS.ProcessEnv): Promise<{ own: OwnProcess; host: string; oddLabel: string }> {
  const { PATH, HOME } = process.env;
  const own = resources.use(new OwnProcess(process.execPath, ["tests/e2e/known-values.ts"], { PATH, HOME, ...env }));
  const ready = await own.line((line) => {
    const entry = line.startsWith("{") ? (JSON.parse(line) as Record<string, string>) : {};
    return entry.msg === "ready" ? { host: new URL(entry.url!).host, oddLabel: entry.oddLabel! } : undefined;
  }, 60);
  return { own, ...ready };
}

const happen = (host: string, count: number): Promise<Response> =>
  fetch(`http://${host}/events?count=${count}`, { method: "POST" });

/** A Prometheus that scrapes each second; returns how to ask it. */
async function startPrometheus(jobs: readonly Job[], features: readonly string[]): Promise<Query> {
  const folder = mkdtempSync(join(tmpdir(), "mlops-backend-values-"));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const configuration = {
    global: { scrape_interval: "1s", scrape_timeout: "1s" },
    scrape_configs: jobs.map(({ name, targets, protocol }) => ({
      job_name: name,
      scrape_protocols: [protocol],
      static_configs: [{ targets }],
    })),
  };
  const file = join(folder, "prometheus.yml");
  writeFileSync(file, JSON.stringify(configuration)); // JSON is YAML.
  const port = await freePort();
  resources.use(
    new OwnProcess(prometheusBinary, [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, "tsdb")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      ...features.map((feature) => `--enable-feature=${feature}`),
    ]),
  );
  return async (expression, atSeconds) => {
    const parameters = new URLSearchParams({ query: expression });
    if (atSeconds !== undefined) parameters.set("time", String(atSeconds));
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?${parameters}`);
    const body = (await answer.json()) as { status: string; error?: string; data: { result: Series[] } };
    if (body.status !== "success") throw new Error(`${expression}: ${body.error}`);
    return body.data.result;
  };
}

/** Waits until every target has answered so many scrapes that began after now. @returns now, in seconds */
async function moreScrapes(query: Query, targets: number, times: number): Promise<number> {
  const now = Date.now() / 1000;
  await eventually(`${times} more scrapes`, 60, async () => {
    // The samples themselves: `timestamp(up == 1)` is the time of the query, not of the scrape.
    const scrapes = (await query("up[10m]")).map(({ values = [] }) =>
      values.filter(([scrapedAt, isUp]) => scrapedAt > now && isUp === "1"),
    );
    return scrapes.filter(({ length }) => length >= times).length >= targets ? true : undefined;
  });
  return now;
}

const numberOf = (text: string): number => Number(text.replace("Inf", "Infinity"));

describe("a real Prometheus has exactly the values that were recorded", () => {
  let query: Query;
  let oddLabel = "";
  beforeAll(async () => {
    const { host, oddLabel: label } = await startProcess({ EVENTS_AT_START: "4" });
    oddLabel = label;
    const jobs: Job[] = [
      { name: "openmetrics", targets: [host], protocol: "OpenMetricsText1.0.0" },
      { name: "text", targets: [host], protocol: "PrometheusText0.0.4" },
    ];
    query = await startPrometheus(jobs, []);
    await moreScrapes(query, 2, 1);
  });

  test.for(["openmetrics", "text"])("by %s", async (job) => {
    const values = async (name: string, label = "none"): Promise<Record<string, number>> => {
      // The scrapes are requests too, by GET. Of the last minutes, since a scrape that took too long makes all stale.
      const series = await query(`last_over_time(${name}{job="${job}",http_request_method=~"PUT|"}[10m])`);
      return Object.fromEntries(series.map(({ metric, value }) => [metric[label] ?? "", numberOf(value[1])]));
    };
    const levels = [0, -1.5, 1e300, 5e-324, 0.1 + 0.2, 123_456_789_012_345_680, Number.NaN, 1 / 0, -1 / 0];
    expect(await values("known_level", "index")).toEqual({ ...levels });
    const labels = (await query(`last_over_time(known_level{job="${job}"}[10m])`)).map(({ metric }) => metric.odd);
    expect(new Set(labels)).toEqual(new Set([oddLabel]));

    const requests = await query(
      `last_over_time(mlops_backend_http_requests_total{job="${job}",http_route=~"a .*"}[10m])`,
    );
    expect(requests.map(({ metric, value }) => [metric.outcome, value[1]])).toEqual([["ok", "4"]]);
    expect(requests[0]?.metric.http_route).toBe(oddLabel);

    const duration = "http_server_request_duration_seconds";
    expect(await values(`${duration}_sum`)).toEqual({ "": 40.25 });
    expect(await values(`${duration}_count`)).toEqual({ "": 4 });
    const cumulative = { "0.005": 0, "0.01": 0, "0.025": 0, "0.05": 0, "0.1": 0, "0.25": 2, "0.5": 2 };
    const above = { "1.0": 2, "2.5": 2, "5.0": 2, "10.0": 2, "+Inf": 4 };
    expect(await values(`${duration}_bucket`, "le")).toEqual({ ...cumulative, ...above });
    expect(await values("http_server_request_body_size_bytes_sum")).toEqual({ "": 2 ** 21 });
    const sizes = await values("http_server_request_body_size_bytes_bucket", "le");
    expect(sizes).toEqual({ "100.0": 0, "1000.0": 0, "10000.0": 0, "100000.0": 0, "1e+06": 4, "1e+07": 4, "+Inf": 4 });
  });
});

/** A metric that is there from the start, and one whose label set comes with its first event. */
const counters = {
  "there at 0 from the start": 'mlops_backend_training_runs_total{mode="heavy",task="regression",outcome="succeeded"}',
  "there from the first event": 'mlops_backend_http_requests_total{http_route=~"a .*"}',
  "a histogram": 'mlops_backend_training_duration_seconds_count{mode="heavy",task="regression"}',
};

/**
 * 10 events before the first scrape of each of two replicas, 20 and 5 later, a restart, 50 before its scrape, 5 later.
 * @returns how to ask, always of the moment when all of it had been scraped: two questions see the same samples then
 */
async function liveThrough(env: NodeJS.ProcessEnv, features: readonly string[]): Promise<Query> {
  const first = await startProcess({ ...env, EVENTS_AT_START: "10" });
  const other = await startProcess({ ...env, EVENTS_AT_START: "10" });
  const targets = [first.host, other.host];
  const query = await startPrometheus([{ name: "replicas", targets, protocol: "OpenMetricsText1.0.0" }], features);
  await moreScrapes(query, 2, 2);
  await happen(first.host, 20);
  await happen(other.host, 5);
  await moreScrapes(query, 2, 2);
  await first.own[Symbol.asyncDispose]();
  // A failed scrape marks the series as stale; a `_created` before that mark would come too late (docs/performance.md).
  const isDown = `up{instance="${first.host}"} == 0`; // of this one: the other may answer too late under load
  await eventually("a failed scrape", 60, async () => ((await query(isDown)).length > 0 ? true : undefined));
  await startProcess({ ...env, EVENTS_AT_START: "50", PORT: new URL(`http://${first.host}`).port });
  await moreScrapes(query, 2, 1);
  await happen(first.host, 5);
  await moreScrapes(query, 2, 3);
  // Scrapes of a target follow each other: one that began after this moment says that none before it is still to come.
  const allScraped = await moreScrapes(query, 2, 1);
  return (expression) => query(expression, allScraped);
}

describe.for([
  {
    title: "with _created and created-timestamp-zero-ingestion nothing is lost",
    env: { PROMETHEUS__CREATED: "true" },
    features: ["created-timestamp-zero-ingestion"],
    replicas: [15, 85],
  },
  {
    // 10 of each replica were there at the first scrape, and 50 after a restart hide that 30 began anew.
    title: "without both the events before a first scrape are lost, and a restart that catches up",
    env: {},
    features: [],
    replicas: [5, 45],
  },
])("$title", ({ env, features, replicas }) => {
  let query: Query;
  beforeAll(async () => {
    query = await liveThrough(env, features);
  });

  test.for(Object.entries(counters))("%s", async ([, counter]) => {
    const increases = (await query(`sort(increase(${counter}[10m]))`)).map(({ value }) => Number(value[1]));
    const samples = (await query(`count_over_time(${counter}[10m])`)).map(({ value }) => Number(value[1]));
    const seen = JSON.stringify(
      (await query(`${counter}[10m]`)).map(({ metric, values }) => [metric.instance, values]),
    );
    expect(increases, seen).toHaveLength(2);
    // increase() draws the line on: half an interval before the first sample, up to 1.1 behind the last.
    const drawnOn = 1 + 1.6 / (Math.min(...samples) - 1);
    for (const [index, recorded] of replicas.entries()) {
      expect(increases[index], seen).toBeGreaterThanOrEqual(recorded - 1e-9);
      expect(increases[index], seen).toBeLessThanOrEqual(recorded * drawnOn);
    }
  });
});
