import { describe, expect, test } from "vitest";
import { generatedFiles } from "../../../infra/monitoring/generate/generate.ts";
import { histogramNames, nativeQuery } from "../../../infra/monitoring/native-histograms.ts";

const names = new Set(["wait_seconds"]);

describe("a query of native histograms", () => {
  test.each([
    ["sum(rate(uploads_total[5m]))", "sum(rate(uploads_total[5m]))"],
    ["rate(other_seconds_count[5m])", "rate(other_seconds_count[5m])"],
    [
      "rate(uploads_total[$__rate_interval]) * $__interval_ms",
      "rate(uploads_total[$__rate_interval]) * $__interval_ms",
    ],
    [
      'histogram_quantile(0.9, sum by (le) (rate(wait_seconds_bucket{job=~"$job"}[$__rate_interval])))',
      'histogram_quantile(0.9, sum (rate(wait_seconds{job=~"$job"}[$__rate_interval])))',
    ],
    [
      "histogram_quantile(0.9, sum by (le, mode) (rate(wait_seconds_bucket[5m]))) > 1",
      "histogram_quantile(0.9, sum by (mode) (rate(wait_seconds{}[5m]))) > 1",
    ],
    ["sum by (le) (increase(wait_seconds_bucket[$__range]))", "sum (increase(wait_seconds{}[$__range]))"],
    [
      "sum by (mode) (rate(wait_seconds_sum[5m])) / sum by (mode) (rate(wait_seconds_count[5m]))",
      "histogram_sum(sum by (mode) (rate(wait_seconds{}[5m]))) / histogram_count(sum by (mode) (rate(wait_seconds{}[5m])))",
    ],
    [
      'sum by (job) (rate(wait_seconds_bucket{mode="light",le="0.5"}[5m]))',
      '(histogram_fraction(0, 0.5, sum by (job) (rate(wait_seconds{mode="light"}[5m]))) * histogram_count(sum by (job) (rate(wait_seconds{mode="light"}[5m]))) >= 0)',
    ],
    ["max(rate(wait_seconds_count[5m]))", "max(histogram_count(rate(wait_seconds{}[5m])))"],
    ["count by (job) (wait_seconds_count)", "count by (job) (histogram_count(wait_seconds{}))"],
  ])("of %s", (classic, native) => expect(nativeQuery(classic, names)).toBe(native));

  test("is refused where there is none", () => {
    expect(() => nativeQuery("wait_seconds_bucket > 1", names)).toThrow(/no native form/);
    expect(() => nativeQuery("sum(", names)).toThrow(/not PromQL/);
  });
});

test("the generator writes dashboards and rules of them, and touches nothing else", () => {
  const classic = generatedFiles();
  const native = generatedFiles({ MONITORING_NATIVE_HISTOGRAMS: "true", PROMETHEUS__METRIC_NAMESPACE: "acme" });
  const part = new RegExp(`"?expr"?: .*\\b(${[...histogramNames("acme_backend")].join("|")})_(bucket|count|sum)\\b`);
  const changed: string[] = [];
  for (const [path, text] of native) {
    if (/\/(dashboards|rules|alerting)\//.test(path)) expect(text, path).not.toMatch(part);
    if (text.includes("histogram_count(")) changed.push(path);
  }
  expect(changed.filter((path) => path.endsWith(".json")).length).toBeGreaterThan(3);
  expect(changed).toContain("infra/monitoring/prometheus/rules/objective-http-latency.yml");
  expect(native.get("docs/metrics.md")).toBe(classic.get("docs/metrics.md"));
});
