import { allowedShare, type ObjectiveKey, objectives, objectiveWindows } from "../objectives.ts";
import type { CaseSeries } from "./alert.ts";
import { caseSeries, sampleName } from "./case-series.ts";
import { repeated, valuesOf } from "./case-values.ts";
import { type Minute, objectiveSeries } from "./objective-series.ts";
import type { TestGroup } from "./promtool-tests.ts";

/** One evaluation of the rules is all that a figure needs; the longest short window fits in twice. */
export const objectiveStepSeconds = 43_200;

/** From so many minutes before the end on: the share of bad ones, and how many there are a minute. No two ranges agree. */
const worsening = [
  [720, 0.1, 30],
  [360, 0.05, 20],
  [180, 0.3, 40],
  [120, 0.2, 10],
  [60, 0.3, 30],
  [30, 0.7, 50],
  [15, 0.5, 20],
  [10, 0.6, 10],
  [5, 0.8, 40],
  [2, 1, 20],
] as const;

function worseningMinutes(key: ObjectiveKey): Minute[] {
  return Array.from({ length: 720 }, (_, minute) => {
    const [, share, count] = worsening.findLast(([before]) => 720 - minute <= before) ?? worsening[0];
    if (objectives[key].counts !== "minutes") return { bad: count * share, good: count * (1 - share) };
    // 7 and 10 have no common factor: any ten minutes in a row hold each remainder once.
    const isBad = (minute * 7) % 10 < share * 10 && (share !== 0.05 || minute % 20 === 0);
    return isBad ? { bad: 1, good: 0 } : { bad: 0, good: 1 };
  });
}

/** What a window must show at the end. */
function seen(key: ObjectiveKey, minutes: readonly Minute[], windowSeconds: number): { bad: number; all: number } {
  const length = windowSeconds / 60;
  // `increase` over samples a minute apart sees one step less, and makes up for it.
  const isCounted = objectives[key].counts !== "minutes";
  const inside = minutes.slice(minutes.length - length + (isCounted ? 1 : 0));
  const factor = length / inside.length;
  const bad = inside.reduce((sum, minute) => sum + minute.bad, 0);
  const all = inside.reduce((sum, minute) => sum + minute.bad + minute.good, 0);
  return { bad: bad * factor, all: all * factor };
}

/** A figure at some time, rounded since floating point sums differ in the last digit; undefined: there is none. */
function figure(key: ObjectiveKey, atSeconds: number, record: string, value: number | undefined) {
  return {
    expr: `round(${record}{objective="${key}"}, 0.000001)`,
    eval_time: `${atSeconds}s`,
    exp_samples:
      value === undefined ? [] : [{ labels: `{job="backend", objective="${key}"}`, value: Number(value.toFixed(6)) }],
  };
}

/** Slots of 5 minutes of so many days, each part of them with its own counts. */
const slots = (key: ObjectiveKey, parts: readonly (readonly [days: number, bad: number, all: number])[]) =>
  (["bad", "total"] as const).map((which) => ({
    series: `objective:${which}:increase5m{job="backend",objective="${key}"}`,
    values: valuesOf(parts.flatMap(([days, bad, all]) => repeated(days * 288, which === "bad" ? bad : all))),
  }));

const shortWindows = ["5m", "30m", "1h", "2h", "6h"] as const;

/** Datasets are kept for ever, though some were already too late when that was decided. */
const switchedOff: readonly CaseSeries[] = [
  caseSeries(sampleName("ttlLag"), { instance: "a" }, "9000x720"),
  caseSeries(sampleName("ttlInterval"), { instance: "a" }, "3600x720"),
  caseSeries(sampleName("ttlEnabled"), { instance: "a" }, "0x720"),
];

/** promtool's tests of an objective's recording rules. */
export function objectiveTests(key: ObjectiveKey): TestGroup[] {
  const minutes = worseningMinutes(key);
  const end = objectiveStepSeconds;
  const share = ({ bad, all }: { bad: number; all: number }) => bad / all;
  const lastFive = {
    bad: minutes.slice(-5).reduce((sum, minute) => sum + minute.bad, 0),
    all: minutes.slice(-5).reduce((sum, minute) => sum + minute.bad + minute.good, 0),
  };
  // An empty queue is a good minute; while TTL is off there are none.
  const isPresent = key === "training_start";
  const isOff = key === "dataset_ttl";
  const monthEnd = 62 * objectiveStepSeconds;
  return [
    {
      name: `${key}: short windows and the slot`,
      interval: "1m",
      input_series: objectiveSeries(key, minutes, true),
      promql_expr_test: [
        ...shortWindows.map((window) =>
          figure(key, end, `objective:errors:ratio_rate${window}`, share(seen(key, minutes, objectiveWindows[window]))),
        ),
        ...(["1h", "6h"] as const).map((window) =>
          figure(key, end, `objective:bad:increase${window}`, seen(key, minutes, objectiveWindows[window]).bad),
        ),
        figure(key, end, "objective:bad:increase5m", lastFive.bad),
        figure(key, end, "objective:total:increase5m", lastFive.all),
      ],
    },
    {
      name: `${key}: long windows and the budget, as slots say, and no more than 30 days of them`,
      interval: "5m",
      // One more slot at the beginning: the first sample is that of second 0.
      input_series: slots(key, [
        [1 + 1 / 288, 5_000, 10_000],
        [27, 10, 10_000],
        [2, 30, 10_000],
        [1, 60, 10_000],
      ]),
      promql_expr_test: [
        figure(key, monthEnd, "objective:errors:ratio_rate1d", 0.006),
        figure(key, monthEnd, "objective:errors:ratio_rate3d", 0.004),
        figure(key, monthEnd, "objective:bad:increase1d", 288 * 60),
        figure(key, monthEnd, "objective:bad:increase3d", 288 * 120),
        figure(key, monthEnd, "objective:error_budget_remaining:ratio", 1 - 0.0013 / allowedShare(key)),
        figure(key, monthEnd, "objective:covered:days", 30),
      ],
    },
    {
      name: `${key}: nothing that counts happens`,
      interval: "1m",
      input_series: isOff ? switchedOff : objectiveSeries(key, repeated(720, { bad: 0, good: 0 }), false),
      promql_expr_test: [
        ...shortWindows.map((window) =>
          figure(key, end, `objective:errors:ratio_rate${window}`, isPresent ? 0 : undefined),
        ),
        figure(key, end, "objective:bad:increase1h", isOff ? undefined : 0),
        figure(key, end, "objective:bad:increase6h", isOff ? undefined : 0),
        figure(key, end, "objective:bad:increase5m", isOff ? undefined : 0),
        figure(key, end, "objective:total:increase5m", isOff ? undefined : isPresent ? 5 : 0),
      ],
    },
    {
      name: `${key}: one within two days, and that is bad`,
      interval: "5m",
      input_series: slots(key, [
        [1.5, 0, 0],
        [1 / 288, 1, 1],
        [0.5, 0, 0],
      ]),
      promql_expr_test: [
        figure(key, 172_800, "objective:errors:ratio_rate1d", 1),
        figure(key, 172_800, "objective:errors:ratio_rate3d", 1),
        figure(key, 172_800, "objective:error_budget_remaining:ratio", 1 - 1 / allowedShare(key)),
      ],
    },
    {
      name: `${key}: two days without anything that counts`,
      interval: "5m",
      input_series: slots(key, [[2, 0, 0]]),
      promql_expr_test: [
        figure(key, 172_800, "objective:errors:ratio_rate1d", undefined),
        figure(key, 172_800, "objective:errors:ratio_rate3d", undefined),
        figure(key, 172_800, "objective:error_budget_remaining:ratio", 1),
        figure(key, 172_800, "objective:covered:days", 2),
      ],
    },
  ];
}
