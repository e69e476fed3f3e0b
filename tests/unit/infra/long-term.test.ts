import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { generatedFiles } from "../../../infra/monitoring/generate/generate.ts";
import { roundCount, sampleCosts } from "../../../infra/monitoring/generate/sample-costs.ts";
import { recordedSeries } from "../../../infra/monitoring/queries/recorded-series.ts";
import { longTermSeries, remoteWriteExample } from "../../../infra/monitoring/remote-write.ts";
import type { RuleGroup } from "../../../infra/monitoring/rules/rule-files.ts";
import { scrapeSeconds } from "../../../infra/monitoring/rules/rule-scope.ts";

const read = (path: string): string => readFileSync(join(import.meta.dirname, "../../..", path), "utf8");
const example = "infra/monitoring/prometheus/remote-write.example.yml";

describe("remote write", () => {
  const [{ source_labels, regex, action }] = parse(remoteWriteExample("acme_ml")).remote_write[0].write_relabel_configs;
  // Prometheus anchors it, and puts ; between the labels.
  const passes = (name: string, job = "backend"): boolean => new RegExp(`^(?:${regex})$`).test(`${name};${job}`);

  test("lets the objectives' series of the job pass, and what the dashboards choose by", () => {
    expect([source_labels, action]).toEqual([["__name__", "job"], "keep"]);
    for (const name of [...Object.keys(recordedSeries), "up", "acme_ml_build_info"])
      expect(passes(name), name).toBe(true);
    for (const name of [
      "acme_ml_http_requests_total",
      "mlops_backend_build_info",
      "objective:errors:ratio_rate5m2",
      "ups",
    ])
      expect(passes(name), name).toBe(false);
    expect(passes("up", "prometheus")).toBe(false);
    expect(longTermSeries("acme_ml")).toHaveLength(Object.keys(recordedSeries).length + 2);
  });

  test("follows the names of the metrics", () => {
    const text = generatedFiles({ PROMETHEUS__METRIC_NAMESPACE: "acme" }).get(example);
    expect(text).toBe(remoteWriteExample("acme_backend"));
    expect(text).not.toContain("mlops_backend");
  });
});

describe("what samples cost", () => {
  const afterDemo = { of_all: 100, mlops_backend_http_requests_total: 20, mlops_backend_training_retries_total: 7 };
  const counts = { afterDemo, freshWorker: { of_all: 90, mlops_backend_http_requests_total: 3 } };
  const rule = { record: "a", expr: "1" };
  const groups: RuleGroup[] = [
    { name: "each round", rules: [rule, rule, { alert: "b", expr: "1" }] },
    { name: "each five minutes", interval: "5m", rules: [rule] },
  ];

  test("is counted by role, for each process, and by rule once a job", () => {
    // A round each 15 s is 5,760 a day, one each 5 minutes 288.
    const rules = 2 * 5_760 + 288;
    expect(sampleCosts(counts, groups, { all: 1 })).toEqual({
      series: 127 + 5 + 3,
      samplesADay: 132 * 5_760 + rules,
      retainedBytes: (132 * 5_760 + rules) * 35 * 2,
      sentSeries: 2 + 3,
      sentSamplesADay: 2 * 5_760 + rules,
    });
    const several = sampleCosts(counts, groups, { api: 2, worker: 3 });
    expect(several.series).toBe(2 * (120 + 5) + 3 * (107 + 3 + 5) + 3);
    expect(several.sentSeries).toBe(5 * 2 + 3);
  });

  test("goes by the interval that Prometheus and the chart have, and by their retention", () => {
    const { global, storage } = parse(read("infra/monitoring/prometheus/prometheus.yml"));
    expect(global).toMatchObject({
      scrape_interval: `${scrapeSeconds}s`,
      evaluation_interval: `${scrapeSeconds}s`,
    });
    expect(storage.tsdb.retention.time).toBe("35d");
    const { serviceMonitor } = parse(read("infra/helm/mlops-backend/values.yaml")).monitoring;
    expect(serviceMonitor.interval).toBe(`${scrapeSeconds}s`);
  });

  test("the deployments of the table are the chart's", () => {
    const { api, worker } = parse(read("infra/helm/mlops-backend/values.yaml"));
    const table = read("docs/operations.md");
    expect(table).toContain(`| ${api.replicas} api, ${worker.replicas} worker: the chart's default |`);
    const most = `${api.autoscaling.maxReplicas} api, ${worker.autoscaling.maxReplicas} workers`;
    expect(table).toContain(`| ${most}: the chart's most |`);
  });

  test.each([
    [4_160_499, "4.2 million"],
    [281_952, "282,000"],
  ])("%d is written as %s", (count, text) => {
    expect(roundCount(count)).toBe(text);
  });
});
