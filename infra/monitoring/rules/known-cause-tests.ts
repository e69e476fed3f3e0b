import { allowedShare } from "../objectives.ts";
import { caseSeries, sampleName } from "./case-series.ts";
import { valuesOf } from "./case-values.ts";
import { causesOf, type KnownCause, knownCauseSeries, knownCauses, objectiveOf } from "./known-causes.ts";
import type { TestGroup } from "./promtool-tests.ts";

/** Minutes in which what stands for the effect fires. */
const [from, until] = [10, 20];
/** The effect is made until some minutes later, and once more. */
const isBad = (minute: number): boolean => (minute >= from && minute <= 28) || (minute >= 32 && minute <= 34);

const firing = (alertname: string, labels: Readonly<Record<string, string>>, alertstate = "firing") =>
  caseSeries("ALERTS", { alertname, alertstate, ...labels }, `_x${from} 1x${until - from} _x600`);

/** What is told, on two instances, and beside it what stands for nothing. */
function alertsOf({ effect, by, causes }: KnownCause) {
  if (by === "burn") {
    const [, window = ""] = /window="(\w+)"/.exec(causes) ?? [];
    const own = { severity: "critical", window };
    return ["a", "b"].map((instance) => firing(effect, { ...own, instance }));
  }
  const [first, second = first] = causesOf[effect];
  return [
    firing(first, { instance: "a" }),
    firing(second, { instance: "b", ...(second === "StorageNearlyFull" ? { reason: "full" } : {}) }),
  ];
}

/** How the effect goes on, or not; in another job it always does. */
function effectOf(effect: KnownCause["effect"], minutes: number) {
  const key = objectiveOf[effect];
  const each = Array.from({ length: minutes }, (_, minute) => minute);
  if (key !== undefined) {
    const allowed = allowedShare(key);
    const name = "objective:errors:ratio_rate5m";
    // In minute 36 as much as is allowed.
    const share = each.map((minute) => (isBad(minute) ? 1.5 * allowed : minute === 36 ? allowed : 0));
    return [
      caseSeries(name, { objective: key }, valuesOf(share)),
      caseSeries(name, { objective: key, job: "other" }, `1x${minutes}`),
      caseSeries(name, { objective: "another" }, `1x${minutes}`),
    ];
  }
  // Less than one in five minutes: any is too many (an eighth is exact in binary). The window must be clean in minutes 30 and 39.
  let count = 100;
  const failed = each.map((minute) => (count += (minute > from && minute <= 24) || minute === 33 ? 0.125 : 0));
  const uploads = (outcome: string, values: string) =>
    caseSeries(sampleName("datasetUploads"), { instance: "a", outcome }, values);
  return [uploads("failed", valuesOf(failed)), uploads("accepted", `0+1x${minutes}`)];
}

function testOf(cause: KnownCause): TestGroup {
  const { effect, by, lingerSeconds } = cause;
  const end = until + lingerSeconds / 60;
  const check = (minute: number, isExplained: boolean) => ({
    expr: `${knownCauseSeries}{effect="${effect}",by="${by}"}`,
    eval_time: `${minute}m`,
    exp_samples: isExplained
      ? [{ labels: `${knownCauseSeries}{by="${by}",effect="${effect}",job="backend"}`, value: 1 }]
      : [],
  });
  return {
    name: `${effect} by ${by}`,
    interval: "1m",
    input_series: [...alertsOf(cause), ...effectOf(effect, end + 30)],
    promql_expr_test: [
      check(5, false),
      check(from, true),
      check(until, true),
      // Within five minutes of it, whatever is seen; then only while all is well.
      check(24, true),
      check(26, false),
      check(30, true),
      check(34, false),
      ...(objectiveOf[effect] === undefined ? [] : [check(36, true)]),
      check(end - 1, true),
      check(end + 1, false),
    ],
  };
}

/** What stands for nothing: alerts that are pending, of another job, of no cause, of a disk that is only nearly full. */
const unrelated: TestGroup = {
  name: "nothing that explains anything",
  interval: "1m",
  input_series: [
    firing("StateUnreadable", { instance: "a" }, "pending"),
    firing("StateUnreadable", { instance: "a", job: "other" }),
    firing("StorageNearlyFull", { reason: "share" }),
    firing("HeapNearLimit", { instance: "a" }),
    firing("HttpAvailabilityBudgetBurn", { severity: "critical", window: "6h" }),
    firing("HttpLatencyBudgetBurn", { severity: "warning", window: "1d" }),
  ],
  promql_expr_test: [{ expr: `${knownCauseSeries}{job=~".*"}`, eval_time: "15m", exp_samples: [] }],
};

/** promtool's tests of what is known to explain an alert. */
export const knownCauseTests: readonly TestGroup[] = [...knownCauses.map(testOf), unrelated];
