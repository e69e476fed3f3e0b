import { describe, expect, test } from "vitest";
import type { TrainingMode } from "../../../src/models/model.ts";
import { seededRandom } from "../../../src/models/split-rows.ts";
import { trainModel } from "../../../src/models/train-model.ts";
import type { TrainRequest } from "../../../src/models/train-request.ts";
import { type Row, toTable } from "../../support/real-tables.ts";

const random = seededRandom(5);
/** The answer comes from `much` and `some`; `twin` says nothing, and `noise` next to nothing. */
const rows: Row[] = Array.from({ length: 1200 }, (_, row) => {
  const [much, some] = [random() * 10, Math.floor(random() * 4)];
  const y = 5 * much + ["a", "b", "c", "d"].indexOf("abcd"[some]!) * 3 + random();
  return { noise: random(), much, some: row % 20 === 0 ? null : "abcd"[some]!, y, big: y > 30 ? "yes" : "no" };
});

function importancesOf(mode: TrainingMode, rest: Partial<TrainRequest> = {}) {
  const request = { table: toTable(rows), target: "y", task: "regression" as const, mode, parameters: {}, ...rest };
  const features = ["noise", "much", "some"];
  const { metrics, document } = trainModel({ features, ...request }, () => {});
  const byColumn = Object.fromEntries(metrics.importances.columns.map(({ column, ...each }) => [column, each]));
  return { ...metrics, document, byColumn };
}

describe.each(["light", "heavy"] as const)("importances of a %s model", (mode) => {
  test("say of numbers how much the error grows, and how much a column adds", () => {
    const { importances, byColumn, featureImportances, rows: counted, rmse } = importancesOf(mode);
    expect(importances).toMatchObject({ rows: counted.test, loss: "rmse" });
    expect(importances.columns.map(({ column }) => column)).toEqual(Object.keys(featureImportances));
    for (const [column, share] of Object.entries(featureImportances))
      expect(byColumn[column]!.gain).toBeCloseTo(share, 5);
    // Shuffled, `much` is off by the deviation of two independent values of it, times 5.
    expect(byColumn.much!.permutation + rmse!).toBeCloseTo(5 * 10 * Math.sqrt(1 / 6), -1);
    // The mean distance from the mean of an even spread is a quarter of it.
    expect(byColumn.much!.meanAbsShap).toBeCloseTo((5 * 10) / 4, -1);
    expect(byColumn.some!.permutation).toBeGreaterThan(20 * Math.abs(byColumn.noise!.permutation));
    expect(byColumn.some!.meanAbsShap).toBeGreaterThan(5 * byColumn.noise!.meanAbsShap);
  });

  test("say of classes how much the log loss grows", () => {
    const { importances, byColumn } = importancesOf(mode, { target: "big", task: "classification" });
    expect(importances.loss).toBe("logLoss");
    expect(byColumn.much!.permutation).toBeGreaterThan(0.5);
    expect(byColumn.much!.permutation).toBeGreaterThan(5 * byColumn.some!.permutation);
  });

  test("of folds are of each row once, by a model that was learnt without it", () => {
    const held = importancesOf(mode);
    const folds = importancesOf(mode, { parameters: { validation: { kind: "folds", folds: 4, repeats: 2 } } });
    expect(folds.importances.rows).toBeGreaterThan(2 * held.importances.rows);
    for (const [column, share] of Object.entries(folds.featureImportances))
      expect(folds.byColumn[column]!.gain).toBeCloseTo(share, 5);
    for (const size of ["permutation", "meanAbsShap"] as const) {
      for (const name of ["much", "some"]) {
        const ratio = folds.byColumn[name]![size] / held.byColumn[name]![size];
        expect(Math.abs(ratio - 1)).toBeLessThan(0.25);
      }
    }
    expect(Math.abs(folds.byColumn.noise!.permutation)).toBeLessThan(0.1);
  });

  test("are the same by the same seed", () => {
    expect(importancesOf(mode).importances).toEqual(importancesOf(mode).importances);
  });
});

test("a column that no tree asks for counts nothing", () => {
  const { byColumn } = importancesOf("heavy", { parameters: { maxDepth: 1, rounds: 3 } });
  expect(byColumn.noise).toEqual({ gain: 0, permutation: 0, meanAbsShap: 0 });
});

test("medians and quantiles are measured by their own loss", () => {
  const lossBy = (objective: "reg:absoluteerror" | "reg:quantileerror") =>
    importancesOf("heavy", {
      parameters: { objective, ...(objective === "reg:quantileerror" && { quantileAlpha: 0.9 }) },
    });
  expect(lossBy("reg:absoluteerror").importances.loss).toBe("mae");
  const { importances, byColumn } = lossBy("reg:quantileerror");
  expect(importances.loss).toBe("quantileLoss");
  expect(byColumn.much!.permutation).toBeGreaterThan(1);
});

test("of many held-out rows some are looked at", () => {
  const many = Array.from({ length: 10 }, () => rows).flat();
  const { importances, rows: counted } = importancesOf("light", { table: toTable(many) });
  expect(importances.rows).toBe(1_000);
  expect(counted.test).toBe(3_000);
});
