import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { generatedFiles } from "../../../infra/monitoring/generate/generate.ts";
import { knownSeries } from "../../../infra/monitoring/queries/known-series.ts";
import { lintPromql, shortestRangeSeconds } from "../../../infra/monitoring/queries/lint-promql.ts";
import { defaultPrefix } from "../../../otel/api/catalogue/metric-names.ts";
import { promqlOf } from "../../support/promql-of.ts";

const root = join(import.meta.dirname, "../../..");
const known = knownSeries(defaultPrefix);
const lint = (query: string): string[] => lintPromql(query, known);

const uploads = "mlops_backend_dataset_uploads_total";
const runs = "mlops_backend_training_runs_total";
const oldest = "mlops_backend_training_queue_oldest_age_seconds";
const heap = "v8js_memory_heap_used_bytes";
const buckets = "http_server_request_duration_seconds_bucket";

describe("a fault", () => {
  test.each([
    ["not PromQL", `sum(rate(${uploads}[5m])`, "not PromQL"],
    ["nothing", "", "not PromQL"],
    ["a variable that is no duration here", `rate(${uploads}[$__interval])`, "not PromQL"],
    ["an unknown metric", "rate(mlops_backend_dataset_upload_total[5m])", "unknown metric"],
    ["another prefix", "rate(acme_ml_dataset_uploads_total[5m])", "unknown metric"],
    ["a histogram without its suffix", "http_server_request_duration_seconds", "unknown metric"],
    ["no name", '{job="backend"}', "needs the name"],
    ["an unknown label in a matcher", `rate(${uploads}{result="accepted"}[5m])`, "no label result"],
    ["an unknown label in by", `sum by (result) (rate(${uploads}[5m]))`, "no label result"],
    ["an unknown label in without", `sum without (result) (rate(${uploads}[5m]))`, "no label result"],
    ["a label that was aggregated away", `sum by (outcome) (sum by (job) (rate(${uploads}[5m])))`, "no label outcome"],
    ["an unknown label in on", `rate(${uploads}[5m]) * on (result) rate(${runs}[5m])`, "no label result"],
    [
      "an unknown label in group_left",
      `${heap} * on (instance) group_left (verson) mlops_backend_build_info`,
      "verson",
    ],
    ["instance of a recorded series", 'objective:errors:ratio_rate5m{instance="a"}', "no label instance"],
    ["a value that never occurs", `rate(${uploads}{outcome="ok"}[5m])`, 'outcome is never "ok"'],
    ["a pattern that never matches", `rate(${uploads}{outcome=~"ok|fine"}[5m])`, 'outcome is never "ok|fine"'],
    ["a bound that no bucket has", `rate(${buckets}{le="0.3"}[5m])`, 'le is never "0.3"'],
    ["a bound as Prometheus does not write it", `rate(${buckets}{le="1"}[5m])`, 'le is never "1"'],
    ["rate of a gauge", `rate(${heap}[5m])`, "a gauge has no rate"],
    ["increase of a gauge", `increase(${heap}[5m])`, "a gauge has no rate"],
    ["a counter as it is", uploads, "needs rate or increase"],
    ["a summed counter", `sum(${uploads})`, "needs rate or increase"],
    ["a compared counter", `${uploads} > 5`, "needs rate or increase"],
    ["the change of a counter", `delta(${uploads}[5m])`, "needs rate or increase"],
    ["the maximum of a counter", `max_over_time(${uploads}[5m])`, "needs rate or increase"],
    ["a difference of counters", `${uploads} - ${uploads}`, "needs rate or increase"],
    ["a count of a histogram as it is", "http_server_request_duration_seconds_count", "needs rate or increase"],
    ["rate of a sum", `rate(sum(${uploads})[5m:1m])`, "inside of an aggregation"],
    ["rate of a rate", `rate(rate(${uploads}[5m])[5m:1m])`, "of the counter itself"],
    ["rate of a difference", `rate((${uploads} - ${uploads})[5m:1m])`, "of the counter itself"],
    ["a quantile without le", `histogram_quantile(0.9, sum(rate(${buckets}[5m])))`, "with le"],
    ["a quantile by all but le", `histogram_quantile(0.9, sum by (http_route) (rate(${buckets}[5m])))`, "with le"],
    ["a quantile of no histogram", `histogram_quantile(0.9, ${heap})`, "with le"],
    ["added buckets", `sum by (http_route) (rate(${buckets}[5m]))`, "keep le"],
    ["a short range", `rate(${uploads}[59s])`, "shorter than four scrape intervals"],
    ["a short range in seconds", `rate(${uploads}[30])`, "shorter than four scrape intervals"],
    ["a short subquery", `max_over_time((sum(rate(${uploads}[5m])))[30s:15s])`, "shorter than four scrape intervals"],
    ["a computed range", `rate(${uploads}[1m + 1m])`, "plain duration"],
    ["a gauge of the deployment as it is", oldest, "max without (instance)"],
    ["a gauge of the deployment, summed", `sum without (instance) (${oldest})`, "max without (instance)"],
    ["a gauge of the deployment, maximum of all", `max(${oldest})`, "max without (instance)"],
    ["the same within another aggregation", `max without (instance) (sum by (instance) (${oldest}))`, "max without"],
    [
      "sides that differ in their labels",
      `sum by (job) (rate(${uploads}[5m])) / sum(rate(${uploads}[5m]))`,
      "only one side has job",
    ],
  ])("%s is found", (_what, query, fault) => {
    expect(lint(query).join("; ")).toContain(fault);
  });

  test("is told once, and each of several is told", () => {
    expect(lint(`${oldest} + ${oldest} + nothing_like_it`)).toEqual([
      `${oldest}: the same on every replica, so take max without (instance)`,
      "nothing_like_it: unknown metric",
    ]);
  });
});

test.each([
  `sum by (outcome) (rate(${uploads}{job=~"$job",instance=~"$instance"}[$__rate_interval]))`,
  `sum(increase(${uploads}[$__range])) > 0`,
  `sum(max_over_time(${uploads}[$__range]) - min_over_time(${uploads}[$__range]) unless resets(${uploads}[$__range]) > 0)`,
  `sum(rate(${uploads}[$__rate_interval])) * $__interval_ms / 1000`,
  `sum(rate(${uploads}{outcome=~"failed|rejected"}[5m] offset 1d)) / sum(rate(${uploads}[1h30m]))`,
  `changes(${uploads}[5m]) > 0 or resets(${uploads}[5m]) > 0`,
  "changes(process_start_time_seconds[30m]) > 2",
  `absent(${uploads})`,
  `absent(${oldest})`,
  `max without (instance) (max_over_time(${oldest}[5m])) > 60`,
  `time() - max without (instance, node) (mlops_backend_build_info)`,
  `histogram_quantile(0.95, sum by (le, http_route) (rate(${buckets}{http_route!~".*/events"}[5m])))`,
  `sum(rate(${buckets}{le="0.5"}[5m])) / sum(rate(http_server_request_duration_seconds_count[5m]))`,
  `sum by (le) (increase(${buckets}[$__range]))`,
  'up{job="backend"} == 1 unless on (job, instance) mlops_backend_build_info',
  `up and on (job, instance) ${uploads}`,
  `${heap} * on (job, instance) group_left (version) mlops_backend_build_info`,
  `sum by (kind) (label_replace(${heap}, "kind", "heap", "job", ".*"))`,
  'sum by (alertname) (ALERTS{alertstate="firing"})',
  'objective:error_budget_remaining:ratio{objective="http_latency"} < 0.1',
  `rate(${buckets}{le="1.0"}[5m])`,
  `clamp_min(sum(rate(${uploads}[5m])), 1) * 2 ^ -1`,
  `topk(5, sum by (outcome) (rate(${uploads}[5m])))`,
  `rate(${uploads}[5m:15s])`,
])("%s is sound", (query) => {
  expect(lint(query)).toEqual([]);
});

test("the shortest range is four scrapes of the configuration, which Grafana knows", () => {
  const seconds = (path: string, pattern: RegExp): number =>
    Number(pattern.exec(readFileSync(join(root, path), "utf8"))?.[1]);
  const configured = seconds("infra/monitoring/prometheus/prometheus.yml", /scrape_interval: (\d+)s/);
  expect(shortestRangeSeconds).toBe(4 * configured);
  expect(seconds("infra/monitoring/grafana/provisioning/datasources/prometheus.yml", /timeInterval: (\d+)s/)).toBe(
    configured,
  );
});

describe("sound are the queries of", () => {
  const dashboards = [...generatedFiles()].filter(([path]) => path.includes("/grafana/dashboards/"));
  test.each(dashboards)("%s", (path, text) => {
    const queries = promqlOf(JSON.parse(text));
    expect(queries.length).toBeGreaterThan(path.includes("traces") ? 3 : 15);
    for (const expression of queries) expect(lint(expression), expression).toEqual([]);
  });

  const documents = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => ({ path, text: readFileSync(join(root, "docs", path), "utf8") }))
    .filter(({ text }) => text.includes("```promql"));
  test.each(documents)("docs/$path", ({ text }) => {
    for (const [, block = ""] of text.matchAll(/^```promql\n([\s\S]*?)^```/gm)) {
      // A line that is indented, or that begins with an operator, goes on with the query above it.
      const queries = block.replace(/^#.*\n/gm, "\n").split(/\n(?=\S)(?!\n)/);
      for (const query of queries) if (query.trim() !== "") expect(lint(query), query).toEqual([]);
    }
  });
});
