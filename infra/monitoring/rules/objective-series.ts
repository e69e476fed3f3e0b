import type { ObjectiveKey } from "../objectives.ts";
import type { CaseSeries } from "./alert.ts";
import { caseSeries, sampleName } from "./case-series.ts";
import { counterOf, repeated, valuesOf } from "./case-values.ts";

/** What happened within a minute. */
export interface Minute {
  readonly bad: number;
  readonly good: number;
}

const route = "/api/ml/v1/training-runs/:id";

/**
 * The series that an objective is measured by, for these minutes.
 * @param withBystanders also what must not count, and a replica that has nothing to do
 */
export function objectiveSeries(key: ObjectiveKey, minutes: readonly Minute[], withBystanders: boolean): CaseSeries[] {
  const bystanders = (...series: readonly CaseSeries[]) => (withBystanders ? series : []);
  const bad = minutes.map((minute) => minute.bad);
  const good = minutes.map((minute) => minute.good);
  const all = minutes.map((minute) => minute.bad + minute.good);
  const half = good.map((count) => count / 2);
  const crowd = minutes.map(() => 5_000);
  const idle = minutes.map(() => 0);
  switch (key) {
    case "http_availability": {
      const requests = (labels: Record<string, string>, increments: readonly number[], instance = "a") =>
        caseSeries(sampleName("httpRequests"), { instance, ...labels }, counterOf(increments));
      return [
        requests({ http_route: route, outcome: "server_error" }, bad),
        requests({ http_route: route, outcome: "ok" }, half),
        requests({ http_route: route, outcome: "client_error" }, half),
        ...bystanders(
          requests({ http_route: route, outcome: "aborted" }, crowd),
          requests({ http_route: "/metrics", outcome: "ok" }, crowd),
          requests({ http_route: "/api/health/ready", outcome: "server_error" }, crowd),
          requests({ http_route: route, outcome: "server_error" }, idle, "b"),
          requests({ http_route: route, outcome: "ok" }, idle, "b"),
        ),
      ];
    }
    case "http_latency": {
      const requests = (http_route: string, count: readonly number[], quick: readonly number[], instance = "a") => [
        caseSeries(sampleName("httpRequestDuration", "_count"), { instance, http_route }, counterOf(count)),
        caseSeries(sampleName("httpRequestDuration", "_bucket"), { instance, http_route, le: "0.5" }, counterOf(quick)),
      ];
      return [
        ...requests(route, all, good),
        ...bystanders(
          ...requests("/api/ml/v1/datasets/upload", crowd, idle),
          ...requests("/api/ml/v1/training-runs/:id/events", crowd, idle),
          ...requests("/api/health/live", crowd, crowd),
          ...requests(route, idle, idle, "b"),
          caseSeries(
            sampleName("httpRequestDuration", "_bucket"),
            { instance: "a", http_route: route, le: "1.0" },
            counterOf(all),
          ),
        ),
      ];
    }
    case "training_success": {
      const failures = (error_type: string, increments: readonly number[], instance = "a") =>
        caseSeries(sampleName("trainingFailures"), { instance, mode: "heavy", error_type }, counterOf(increments));
      const runs = (outcome: string, increments: readonly number[]) =>
        caseSeries(
          sampleName("trainingRuns"),
          { instance: "a", mode: "heavy", task: "regression", outcome },
          counterOf(increments),
        );
      return [
        failures("timeout", bad),
        runs("succeeded", half),
        runs(
          "failed",
          bad.map((count, index) => count + (half[index] ?? 0)),
        ),
        ...bystanders(failures("data", half), failures("timeout", idle, "b"), runs("cancelled", crowd)),
      ];
    }
    case "training_start": {
      const ages = valuesOf([0, ...bad.map((count) => (count > 0 ? 60 : 59))]);
      return ["a", "b"].map((instance) => caseSeries(sampleName("trainingQueueOldestAge"), { instance }, ages));
    }
    case "dataset_ttl": {
      const lags = valuesOf([0, ...bad.map((count) => (count > 0 ? 7_201 : 7_200))]);
      const constant = (value: number) => valuesOf(repeated(minutes.length + 1, value));
      return ["a", "b"].flatMap((instance) => [
        caseSeries(sampleName("ttlLag"), { instance }, lags),
        caseSeries(sampleName("ttlInterval"), { instance }, constant(3_600)),
        caseSeries(sampleName("ttlEnabled"), { instance }, constant(1)),
      ]);
    }
  }
}
