import { expect, test } from "vitest";
import { compareModels } from "../../../src/models/compare-models.ts";
import { type KeptMeasures, keepRows, markRows } from "../../../src/models/kept-measures.ts";
import { seededRandom } from "../../../src/models/split-rows.ts";

const rest = async () => {};
const places = (count: number) => Int32Array.from({ length: count }, (_, place) => place);

/** Held-out numbers of which a model says each as far off as `off` says. */
const ofNumbers = (off: readonly number[]): KeptMeasures => {
  const actual = Float64Array.from(off, (_, row) => row);
  const predicted = actual.map((value, row) => value + off[row]!);
  return keepRows({ task: "regression", actual, predicted, mean: 0 }, places(off.length));
};

const random = seededRandom(1);
const noise = Array.from({ length: 400 }, () => random() - 0.5);

test("of the same rows a small difference is told from none, which either interval alone would hide", async () => {
  const first = ofNumbers(noise);
  const alittleWorse = ofNumbers(noise.map((off) => off * 1.02));
  const [none, worse, same] = await compareModels([first, alittleWorse, first], rest);
  expect(none).toEqual({});
  expect(worse!.rmse![0]).toBeGreaterThan(0);
  expect(worse!.mae![0]).toBeGreaterThan(0);
  expect(same).toEqual({ mae: [0, 0], mse: [0, 0], rmse: [0, 0] });
  // Of a difference that is chance alone, 0 lies in it.
  const other = ofNumbers(noise.toReversed());
  const [, chance] = await compareModels([first, other], rest);
  expect(chance!.rmse![0]).toBeLessThan(0);
  expect(chance!.rmse![1]).toBeGreaterThan(0);
});

test("of classes it is the chance of the truth and what was said, by row", async () => {
  const actual = Float64Array.from({ length: 300 }, (_, row) => row % 3);
  const said = (right: (row: number) => number): KeptMeasures => {
    const probabilities = Float64Array.from({ length: 900 }, (_, cell) => {
      const row = Math.floor(cell / 3);
      return cell % 3 === actual[row] ? right(row) : (1 - right(row)) / 2;
    });
    const evaluation = { task: "classification", classes: ["a", "b", "c"], actual, probabilities } as const;
    return keepRows({ ...evaluation, priors: [1 / 3, 1 / 3, 1 / 3] }, places(300));
  };
  const [, better] = await compareModels([said((row) => (row % 5 === 0 ? 0.1 : 0.6)), said(() => 0.6)], rest);
  expect(better!.accuracy![0]).toBeGreaterThan(0.1);
  expect(better!.accuracy![1]).toBeLessThan(0.3);
  expect(better!.logLoss![1]).toBeLessThan(0);
});

test("by folds the fold's difference counts, and what not all folds can tell is left out", async () => {
  const kept = (folds: Record<string, number>[]): KeptMeasures => ({
    ...{ kind: "folds", mark: "", rows: 9, ratio: 0.25 },
    folds,
  });
  const first = kept([{ rmse: 1, r2: 0.5 }, { rmse: 5, r2: 0.1 }, { rmse: 9 }]);
  const other = kept([{ rmse: 1.1, r2: 0.5 }, { rmse: 5.2, r2: 0.1 }, { rmse: 9.15 }]);
  const [, worse] = await compareModels([first, other], rest);
  expect(Object.keys(worse!)).toEqual(["rmse"]);
  const [low, high] = worse!.rmse!;
  expect(low).toBeCloseTo(0.15 - 4.3027 * Math.sqrt((1 / 3 + 0.25) * 0.0025), 4);
  expect(high).toBeCloseTo(0.15 + 4.3027 * Math.sqrt((1 / 3 + 0.25) * 0.0025), 4);
});

test("the mark of rows tells other rows, other values, another order and other folds", () => {
  const markOf = (...folds: [number[], number[]][]) => {
    const mark = markRows();
    for (const [some, actual] of folds) mark.add(Int32Array.from(some), actual);
    return mark.digest().mark;
  };
  const marks = [
    markOf([
      [0, 1, 2],
      [5, 6, 7],
    ]),
    markOf([
      [0, 1, 3],
      [5, 6, 7],
    ]),
    markOf([
      [0, 1, 2],
      [5, 6, 7.5],
    ]),
    markOf([
      [1, 0, 2],
      [5, 6, 7],
    ]),
    markOf(
      [
        [0, 1],
        [5, 6],
      ],
      [[2], [7]],
    ),
  ];
  expect(new Set(marks).size).toBe(5);
  expect(
    markOf([
      [0, 1, 2],
      [5, 6, 7],
    ]),
  ).toBe(marks[0]);
});

test("of many rows some are kept, the same of two models, and the work is done in slices", async () => {
  const many = Array.from({ length: 20_000 }, (_, row) => (row % 7) / 7);
  const first = ofNumbers(many);
  expect(first.rows).toBe(20_000);
  expect(JSON.stringify(first).length).toBeLessThan(60_000);
  let rests = 0;
  const [, worse] = await compareModels([first, ofNumbers(many.map((off) => off + 0.25))], async () => {
    rests += 1;
  });
  expect(worse!.mae![0]).toBeCloseTo(0.25, 4);
  expect(worse!.mae![1]).toBeCloseTo(0.25, 4);
  expect(rests).toBeGreaterThan(20);
});
