import { expect, test } from "vitest";
import type { RunMetrics, Task } from "../../../src/console/api/answers.ts";
import { en } from "../../../src/console/texts/en.ts";
import { ru } from "../../../src/console/texts/ru.ts";
import { createFormats } from "../../../src/console/words/formats.ts";
import { confusionOf, importanceBars, measuresOf, verdictOf } from "../../../src/console/words/quality.ts";
import { qualitySentences } from "../../../src/console/words/quality-sentences.ts";

const english = { texts: en, formats: createFormats("en") };
const russian = { texts: ru, formats: createFormats("ru") };
const classes = (accuracy: number, guess: number, more: Partial<RunMetrics> = {}): RunMetrics => ({
  accuracy,
  baseline: { accuracy: guess },
  ...more,
});
const numbers = (rmse: number, guess: number): RunMetrics => ({
  rmse,
  mae: rmse / 2,
  baseline: { rmse: guess, mae: guess / 2 },
});

test.each<[string, Task, RunMetrics, string, string]>([
  ["half the mistakes", "classification", classes(0.7, 0.4), "better", "Wrong half as often as guessing."],
  ["many fewer mistakes", "classification", classes(0.88, 0.44), "better", "Makes 79% fewer mistakes than guessing."],
  [
    "hardly any mistake",
    "classification",
    classes(0.99999, 0.5),
    "better",
    "Makes 99.9% fewer mistakes than guessing.",
  ],
  ["no mistake", "classification", classes(1, 0.5), "perfect", "It made no mistake."],
  ["as guessing", "classification", classes(0.501, 0.5), "same", "It is no better than guessing."],
  ["worse", "classification", classes(0.4, 0.5), "worse", "It is worse than guessing."],
  ["guessing is always right", "classification", classes(0.9, 1), "worse", "It is worse than guessing."],
  [
    "an interval with guessing in it",
    "classification",
    classes(0.6, 0.5, { intervals: { accuracy: [0.45, 0.75] } }),
    "unsure",
    "It looks better than guessing, but that may be chance.",
  ],
  ["smaller errors", "regression", numbers(3, 4), "better", "Its errors are 25% smaller than those of guessing."],
  ["larger errors", "regression", numbers(5, 4), "worse", "It is worse than guessing."],
])("%s is said in words", (_name, task, metrics, kind, headline) => {
  expect(qualitySentences(task, metrics, english)).toMatchObject({ kind, headline });
});

test("what a headline rests on is said after it, and where it was measured", () => {
  const metrics = {
    ...classes(0.8767, 0.4384),
    rows: { train: 1461, test: 365 },
    validation: { kind: "holdout" },
  } as const;
  expect(qualitySentences("classification", metrics, english)?.reasons).toEqual([
    "Right in 87.7% of the rows; always saying the most frequent class is right in 43.8%.",
    "Measured on 365 rows by a model that had not seen them; the one to use learnt from 1,461.",
  ]);
  const folds = { ...metrics, validation: { kind: "folds", folds: 5, repeats: 4 } } as const;
  expect(qualitySentences("classification", folds, english)?.reasons[1]).toBe(
    "Each of 365 rows was said by a model that had not seen it (5 folds, 4 ×).",
  );
  expect(qualitySentences("classification", metrics, russian)?.reasons[1]).toMatch(
    /^Измерено на 365 строках моделью, которая их не видела; итоговая обучена на 1\s461\.$/,
  );
  expect(qualitySentences("regression", numbers(5, 4), english)?.reasons).toEqual([
    "Its errors are 25% larger than those of guessing.",
    "Off by 2.5 on average; always saying the mean is off by 2.",
  ]);
});

test("without a baseline nothing is compared", () => {
  expect(verdictOf("classification", { accuracy: 0.9 })).toBeUndefined();
  expect(verdictOf("regression", {})).toBeUndefined();
});

test("measures are those that a run has, with interval and baseline where they are told", () => {
  const metrics: RunMetrics = {
    f1: 0.5,
    accuracy: 0.9,
    auc: 0.8,
    baseline: { accuracy: 0.6 },
    intervals: { accuracy: [0.85, 0.95], positive: { recall: [0, 1] } },
  };
  expect(measuresOf("classification", metrics)).toEqual([
    { name: "accuracy", value: 0.9, isShare: true, interval: [0.85, 0.95], baseline: 0.6 },
    { name: "f1", value: 0.5, isShare: true, interval: undefined, baseline: undefined },
    { name: "auc", value: 0.8, isShare: false, interval: undefined, baseline: undefined },
  ]);
});

test("bars are as long as a column counts beside the first; below 0 it is by chance, and has none", () => {
  const column = (name: string, permutation: number) => ({ column: name, gain: 0, permutation, meanAbsShap: 0 });
  const importances = { rows: 9, loss: "rmse" as const, columns: [column("a", 1), column("b", 4), column("c", -0.5)] };
  expect(importanceBars({ importances }).map(({ name, length }) => [name, length])).toEqual([
    ["b", 1],
    ["a", 0.25],
    ["c", 0],
  ]);
  expect(importanceBars({ importances: { ...importances, columns: [column("a", 0)] } })[0]?.length).toBe(0);
  expect(importanceBars({})).toEqual([]);
  expect(confusionOf({})).toBeUndefined();
});
