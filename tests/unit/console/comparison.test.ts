import { expect, test } from "vitest";
import { type ComparedRun, measureRows } from "../../../src/console/words/comparison.ts";
import { curvesOf } from "../../../src/console/words/curves.ts";
import { differingNames } from "../../../src/console/words/parameters.ts";

const first = { metrics: { accuracy: 0.8, logLoss: 0.5, auc: 0.7 }, differences: null } as unknown as ComparedRun;

test.each([
  ["accuracy", 0.1, [0.05, 0.15], "better"],
  ["accuracy", -0.1, [-0.15, -0.05], "worse"],
  ["accuracy", 0.1, [-0.05, 0.15], "unsure"],
  ["accuracy", 0.1, null, "unsure"],
  ["accuracy", 0, null, "same"],
  ["logLoss", 0.1, [0.05, 0.15], "worse"],
  ["logLoss", -0.1, [-0.15, -0.05], "better"],
] as const)("a %s that differs by %d, from and to %j, is %s", (name, difference, interval, kind) => {
  const other = {
    metrics: { [name]: 0.5 },
    differences: { [name]: { difference, interval } },
  } as unknown as ComparedRun;
  const row = measureRows({ task: "classification", runs: [first, other] }).find((each) => each.name === name);
  expect(row?.differences.map((each) => each?.kind)).toEqual([undefined, kind]);
  expect(row?.values[1]).toBe(0.5);
});

test("only parameters that differ are named, a default among them, whatever they are made of", () => {
  const settings = [
    { seed: 1, ridge: 1, threshold: { falsePositive: 1 } },
    { seed: 1, threshold: { falsePositive: 2 } },
  ];
  expect(differingNames(settings)).toEqual(["ridge", "threshold"]);
});

test("curves go from left to right, with guessing beside them, and a calibration of one bin is none", () => {
  const curves = curvesOf({
    baseline: { averagePrecision: 0.3 },
    curves: {
      roc: { fpr: [0, 0, 1], tpr: [0, 0.5, 1], thresholds: [null, 0.9, 0.1] },
      precisionRecall: { precision: [0.3, 1, 1], recall: [1, 1, 0], thresholds: [0.1, 0.9] },
      calibration: { probTrue: [1], probPred: [0.9], counts: [4] },
    },
  });
  expect(curves).toEqual([
    { name: "roc", x: [0, 0, 1], y: [0, 0.5, 1], guessing: [0, 0, 1] },
    { name: "precisionRecall", x: [0, 1, 1], y: [1, 1, 0.3], guessing: [0.3, 0.3, 0.3] },
  ]);
});
