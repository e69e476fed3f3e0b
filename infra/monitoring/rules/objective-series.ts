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
 * @param withBystanders a quarter is served by another replica, a third one has nothing to do, and there is what must
 * not count
 */
export function objectiveSeries(key: ObjectiveKey, minutes: readonly Minute[], withBystanders: boolean): CaseSeries[] {
  const bystanders = (...series: readonly CaseSeries[]) => (withBystanders ? series : []);
  /** The same counter on each replica that has one. */
  const replicas = (make: (instance: string, increments: readonly number[]) => CaseSeries, all: readonly number[]) =>
    withBystanders
      ? [
          make(
            "a",
            all.map((count) => 0.75 * count),
          ),
          make(
            "b",
            all.map((count) => 0.25 * count),
          ),
          make("c", idle),
        ]
      : [make("a", all)];
  const bad = minutes.map((minute) => minute.bad);
  const good = minutes.map((minute) => minute.good);
  const half = good.map((count) => count / 2);
  const crowd = minutes.map(() => 5_000);
  const idle = minutes.map(() => 0);
  switch (key) {
    case "http_availability": {
      const requests = (http_route: string, outcome: string, increments: readonly number[]) =>
        replicas(
          (instance, own) => caseSeries(sampleName("httpRequests"), { instance, http_route, outcome }, counterOf(own)),
          increments,
        );
      return [
        ...requests(route, "server_error", bad),
        ...requests(route, "ok", half),
        ...requests(route, "client_error", half),
        ...bystanders(
          ...requests(route, "aborted", crowd),
          ...requests("/metrics", "ok", crowd),
          ...requests("/api/health/ready", "server_error", crowd),
        ),
      ];
    }
    case "http_latency": {
      const counter = (http_route: string, le: string | undefined, increments: readonly number[]) =>
        replicas(
          (instance, own) =>
            caseSeries(
              sampleName("httpRequestDuration", le === undefined ? "_count" : "_bucket"),
              { instance, http_route, ...(le === undefined ? {} : { le }) },
              counterOf(own),
            ),
          increments,
        );
      const all = minutes.map((minute) => minute.bad + minute.good);
      const requests = (http_route: string, count: readonly number[], quick: readonly number[]) => [
        ...counter(http_route, undefined, count),
        ...counter(http_route, "0.5", quick),
      ];
      return [
        ...requests(route, all, good),
        ...bystanders(
          ...counter(route, "1.0", all),
          ...requests("/api/ml/v1/datasets/upload", crowd, idle),
          ...requests("/api/ml/v1/training-runs/:id/events", crowd, idle),
          ...requests("/api/health/live", crowd, crowd),
        ),
      ];
    }
    case "training_success": {
      const failures = (error_type: string, increments: readonly number[]) =>
        replicas(
          (instance, own) =>
            caseSeries(sampleName("trainingFailures"), { instance, mode: "heavy", error_type }, counterOf(own)),
          increments,
        );
      const runs = (outcome: string, increments: readonly number[]) =>
        replicas(
          (instance, own) =>
            caseSeries(
              sampleName("trainingRuns"),
              { instance, mode: "heavy", task: "regression", outcome },
              counterOf(own),
            ),
          increments,
        );
      return [
        ...failures("timeout", bad),
        ...runs("succeeded", half),
        ...runs(
          "failed",
          bad.map((count, index) => count + (half[index] ?? 0)),
        ),
        ...bystanders(...failures("data", half), ...runs("cancelled", crowd)),
      ];
    }
    case "training_start": {
      const ages = valuesOf([0, ...bad.map((count) => (count > 0 ? 60 : 59))]);
      // The reading of the last one is older.
      return ["a", "b"]
        .map((instance) => caseSeries(sampleName("trainingQueueOldestAge"), { instance }, ages))
        .concat(caseSeries(sampleName("trainingQueueOldestAge"), { instance: "c" }, valuesOf([0, ...idle])));
    }
    case "dataset_ttl": {
      const lags = valuesOf([0, ...bad.map((count) => (count > 0 ? 7_201 : 7_200))]);
      const constant = (value: number) => valuesOf(repeated(minutes.length + 1, value));
      const replica = (instance: string, lag: string, interval: number, isEnabled: number) => [
        caseSeries(sampleName("ttlLag"), { instance }, lag),
        caseSeries(sampleName("ttlInterval"), { instance }, constant(interval)),
        caseSeries(sampleName("ttlEnabled"), { instance }, constant(isEnabled)),
      ];
      // The last one has an older reading and other settings.
      return [...replica("a", lags, 3_600, 1), ...replica("b", lags, 3_600, 1), ...replica("c", constant(0), 1_800, 0)];
    }
  }
}
