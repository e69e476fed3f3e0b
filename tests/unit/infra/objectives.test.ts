import { expect, test } from "vitest";
import {
  allowedShare,
  budgetDays,
  type Objective,
  objectiveKeys,
  objectives,
  objectiveWindows,
} from "../../../infra/monitoring/objectives.ts";
import { alertFamilies, ruleGroups } from "../../../infra/monitoring/rules/rule-files.ts";
import { defaultPrefix } from "../../../otel/api/catalogue/metric-names.ts";

// What is promised is decided by people: whoever changes a number changes it here, too, and knows that it is a promise.

test("30 days are promised, and these windows are recorded", () => {
  expect(budgetDays).toBe(30);
  expect(objectiveWindows).toEqual({
    "5m": 300,
    "30m": 1_800,
    "1h": 3_600,
    "2h": 7_200,
    "6h": 21_600,
    "1d": 86_400,
    "3d": 259_200,
  });
});

const hour = ["critical", 14.4, "1h", "5m"];
const sixHours = ["critical", 6, "6h", "30m"];
const day = ["warning", 3, "1d", "2h"];
const threeDays = ["warning", 1, "3d", "6h"];

test.each([
  // Objective, target, allowed share, bad ones that count at all, burn rates with their windows.
  ["http_availability", 0.995, 0.005, 10, [hour, sixHours, day, threeDays]],
  ["http_latency", 0.99, 0.01, 10, [hour, sixHours, day, threeDays]],
  ["training_start", 0.99, 0.01, 10, [sixHours, threeDays]],
  ["training_success", 0.99, 0.01, 3, [sixHours, threeDays]],
  ["dataset_ttl", 0.99, 0.01, 10, []],
] as const)("%s promises %d", (key, target, allowed, minimumBad, burns) => {
  const objective: Objective = objectives[key];
  expect(objective.target).toBe(target);
  expect(allowedShare(key)).toBe(allowed);
  expect(objective.minimumBad).toBe(minimumBad);
  expect(objective.burnRates.map(({ severity, factor, long, short }) => [severity, factor, long, short])).toEqual(
    burns,
  );
});

test("no other objective is promised", () => {
  expect(objectiveKeys).toHaveLength(5);
});

test("as few as count fire, and one less doesn't", () => {
  const cases = alertFamilies.filter(({ file }) => file.startsWith("burn-rate")).flatMap((family) => family.cases);
  const firing = (name: string) =>
    cases
      .filter((each) => each.name.endsWith(`: ${name}`))
      .map(({ checks }) => checks.some(({ fire }) => fire.length > 0));
  expect(firing("all bad, as few as count")).toEqual(new Array(12).fill(true));
  expect(firing("all bad, one too few to count")).toEqual(new Array(12).fill(false));
});

interface Alert {
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

test("the alerts are of these shares, windows and times", () => {
  const alerts = [...ruleGroups({ prefix: defaultPrefix, timeScale: 1 })]
    .filter(([file]) => file.startsWith("burn-rate"))
    .flatMap(([, groups]) => groups.flatMap(({ rules }) => rules as unknown as Alert[]));
  const numbers = alerts.map(({ alert, labels, expr, for: pending, keep_firing_for }) => {
    const thresholds = [...expr.matchAll(/(ratio_rate|increase)(\w+)\{[^}]*\} > ([\d.]+)/g)];
    return [
      alert,
      labels?.severity,
      pending,
      keep_firing_for,
      thresholds.map(([, , window, value]) => [window, Number(value)]),
    ];
  });
  const of = (
    alert: string,
    severity: string,
    times: readonly string[],
    long: string,
    short: string,
    above: number,
    bad: number,
  ) => [
    alert,
    severity,
    ...times,
    [
      [long, above],
      [short, above],
      [long, bad],
    ],
  ];
  const fast = ["4m", "5m"];
  const slow = ["5m", "15m"];
  const ofDay = ["15m", "1h"];
  const ofDays = ["30m", "2h"];
  expect(numbers).toEqual([
    of("HttpAvailabilityBudgetBurn", "critical", fast, "1h", "5m", 0.072, 9.5),
    of("HttpAvailabilityBudgetBurn", "critical", slow, "6h", "30m", 0.03, 9.5),
    of("HttpLatencyBudgetBurn", "critical", fast, "1h", "5m", 0.144, 9.5),
    of("HttpLatencyBudgetBurn", "critical", slow, "6h", "30m", 0.06, 9.5),
    of("TrainingStartBudgetBurn", "critical", slow, "6h", "30m", 0.06, 9.5),
    of("TrainingSuccessBudgetBurn", "critical", slow, "6h", "30m", 0.06, 2.5),
    of("HttpAvailabilityBudgetBurn", "warning", ofDay, "1d", "2h", 0.015, 9.5),
    of("HttpAvailabilityBudgetBurn", "warning", ofDays, "3d", "6h", 0.005, 9.5),
    of("HttpLatencyBudgetBurn", "warning", ofDay, "1d", "2h", 0.03, 9.5),
    of("HttpLatencyBudgetBurn", "warning", ofDays, "3d", "6h", 0.01, 9.5),
    of("TrainingStartBudgetBurn", "warning", ofDays, "3d", "6h", 0.01, 9.5),
    of("TrainingSuccessBudgetBurn", "warning", ofDays, "3d", "6h", 0.01, 2.5),
  ]);
});
