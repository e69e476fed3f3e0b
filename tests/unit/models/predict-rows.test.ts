import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PredictionInputError } from "../../../src/models/predict-rows.ts";
import { trainModel } from "../../../src/models/train-model.ts";
import { predictRecords } from "../../support/predict-records.ts";
import { readRows, toTable } from "../../support/real-tables.ts";

const penguins = toTable(readRows("penguins.json"));
const cars = toTable(readRows("cars.json"));
const models = (["light", "heavy"] as const).flatMap((mode) => [
  trainModel({ table: penguins, target: "Species", task: "classification", mode, parameters: {} }, () => {}).document,
  trainModel({ table: penguins, target: "Body Mass (g)", task: "regression", mode, parameters: {} }, () => {}).document,
  trainModel({ table: cars, target: "Origin", task: "classification", mode, parameters: {} }, () => {}).document,
]);
const species = models[0]!;
const row = {
  Island: "Dream",
  "Beak Length (mm)": 40,
  "Beak Depth (mm)": 18,
  "Flipper Length (mm)": 190,
  "Body Mass (g)": 3700,
  Sex: "MALE",
};

function faultOf(rows: Record<string, unknown>[]): PredictionInputError {
  try {
    predictRecords(species, rows);
  } catch (error) {
    if (error instanceof PredictionInputError) return error;
  }
  throw new Error("It should have failed.");
}

test("any row gives finite numbers, and chances that add up to 1", () => {
  const number = fc.oneof(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.constant(null));
  const text = fc.oneof(fc.constantFrom("Dream", "Biscoe", "MALE", "USA"), fc.string(), fc.constant(null));
  for (const model of models) {
    const cells = model.features.map(({ column, kind }) =>
      fc.tuple(fc.constant(column), kind === "number" ? number : text),
    );
    const anyRow = fc.tuple(...cells).map((entries) => Object.fromEntries(entries));
    fc.assert(
      fc.property(fc.array(anyRow, { minLength: 1, maxLength: 5 }), (rows) => {
        const predictions = predictRecords(model, rows);
        expect(predictions).toHaveLength(rows.length);
        for (const { prediction, probabilities } of predictions) {
          if (probabilities === undefined) expect(Number.isFinite(prediction)).toBe(true);
          else {
            expect(model.classes).toContain(prediction);
            const chances = Object.values(probabilities);
            expect(chances.every((chance) => chance >= 0 && chance <= 1)).toBe(true);
            expect(chances.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 9);
          }
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  }
});

describe("cells", () => {
  test("numbers may come as text, unknown columns are ignored", () => {
    const asText = Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, String(cell)]));
    expect(predictRecords(species, [{ ...asText, extra: [1] }])).toEqual(predictRecords(species, [row]));
  });

  test("null, empty and absent are the same: missing", () => {
    const { Sex: _, ...absent } = row;
    const [full, ...missing] = predictRecords(species, [row, absent, { ...row, Sex: null }, { ...row, Sex: "" }]);
    expect(full?.prediction).toBe("Adelie");
    expect(missing[0]).toEqual(missing[1]);
    expect(missing[1]).toEqual(missing[2]);
  });

  test("an unknown category counts as none", () => {
    const [unknown, missing] = predictRecords(species, [
      { ...row, Island: "Atlantis" },
      { ...row, Island: null },
    ]);
    expect(unknown).toEqual({ ...missing, unknown: ["Island"] });
  });

  test.each(["NaN", "nan", "inf", "-Infinity"])("%j is missing, as the training data's is", (cell) => {
    const column = "Body Mass (g)";
    expect(predictRecords(species, [{ ...row, [column]: cell }])).toEqual(
      predictRecords(species, [{ ...row, [column]: null }]),
    );
  });

  test.each(["heavy-ish", "0x10", "nano", "1_", "_1", true, {}, [1]])(
    "%j is no number; row and column are named",
    (cell) => {
      const fault = faultOf([row, { ...row, "Body Mass (g)": cell }]);
      expect(fault).toMatchObject({ rowIndex: 1, column: "Body Mass (g)" });
      expect(fault.message).toContain("Row 2");
    },
  );

  test("a column that no row has is a fault", () => {
    const { Island: _, ...without } = row;
    expect(faultOf([without, without]).column).toBe("Island");
  });

  test("no rows, no predictions", () => {
    expect(predictRecords(species, [])).toEqual([]);
  });
});

test("a light model of the trainers before 1.2.0, without coefficients, predicts as it did", () => {
  const kept = JSON.parse(readFileSync(new URL("../../fixtures/light-1.1.0.json", import.meta.url), "utf8"));
  expect(kept.document.library.version).toBe("1.1.0");
  expect(predictRecords(kept.document, kept.rows)).toEqual(kept.predictions);
});

test("a heavy model of the trainers before 1.3.0, learned from part of the rows, predicts as it did", () => {
  const kept = JSON.parse(readFileSync(new URL("../../fixtures/heavy-1.2.0.json", import.meta.url), "utf8"));
  expect(kept.document.library.version).toBe("1.2.0");
  expect(predictRecords(kept.document, kept.rows)).toEqual(kept.predictions);
});
