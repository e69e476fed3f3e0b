import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { type Job, moreScrapes, type Query, startPlainPrometheus } from "./plain-prometheus.ts";
import { OwnProcess } from "./processes.ts";
import { drawnOn, liveThrough } from "./restarted-replicas.ts";

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
    query = await startPlainPrometheus(resources, jobs, []);
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

const events = { atStart: 10, later: [20, 5], afterRestart: 50, last: 5 } as const;

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
    query = await liveThrough(resources, {
      start: async (port, count) =>
        startProcess({ ...env, EVENTS_AT_START: String(count), PORT: String(port ?? (await freePort())) }),
      happen,
      events,
      features,
    });
  });

  test.for(Object.entries(counters))("%s", async ([, counter]) => {
    const increases = (await query(`sort(increase(${counter}[10m]))`)).map(({ value }) => Number(value[1]));
    const samples = (await query(`count_over_time(${counter}[10m])`)).map(({ value }) => Number(value[1]));
    const seen = JSON.stringify(
      (await query(`${counter}[10m]`)).map(({ metric, values }) => [metric.instance, values]),
    );
    expect(increases, seen).toHaveLength(2);
    for (const [index, recorded] of replicas.entries()) {
      expect(increases[index], seen).toBeGreaterThanOrEqual(recorded - 1e-9);
      expect(increases[index], seen).toBeLessThanOrEqual(recorded * drawnOn(Math.min(...samples)));
    }
  });
});
