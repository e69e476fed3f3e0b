import { describe, expect, test } from "vitest";
import { serializeModelDocument, type TrainingMode } from "../../../src/models/model.ts";
import { seededRandom, splitRows } from "../../../src/models/split-rows.ts";
import { trainModel } from "../../../src/models/train-model.ts";
import type { TrainRequest } from "../../../src/models/train-request.ts";
import { TrainingDataError } from "../../../src/models/training-data-error.ts";
import { predictRecords } from "../../support/predict-records.ts";
import { type Row, readRows, toTable } from "../../support/real-tables.ts";

const modes: TrainingMode[] = ["light", "heavy"];

function train(rows: readonly Row[], rest: Omit<TrainRequest, "table" | "parameters"> & Partial<TrainRequest>) {
  return trainModel({ table: toTable(rows), parameters: {}, ...rest }, () => {});
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof TrainingDataError) return error.code;
    throw error;
  }
  return undefined;
}

const random = seededRandom(7);
const plane: Row[] = Array.from({ length: 400 }, () => {
  const [a, b] = [random() * 10, random() * 4 - 2];
  return { a, b, y: 3 * a - 2 * b + 5 };
});

describe("light", () => {
  test("finds the plane that the points lie on", () => {
    const { document, metrics } = train(plane, {
      target: "y",
      task: "regression",
      mode: "light",
      parameters: { ridge: 0 },
    });
    const booster = document.model.learner.gradient_booster;
    if (booster.name !== "gblinear") throw new Error("A light model is linear.");
    const [a, b, bias] = booster.model.weights;
    expect([a, b, bias].map((weight) => Math.round(weight! * 1e4) / 1e4)).toEqual([3, -2, 5]);
    expect(metrics.r2).toBeCloseTo(1, 9);
    expect(predictRecords(document, [{ a: 1, b: 1 }])[0]?.prediction).toBeCloseTo(6, 4);
  });

  test("ridge shrinks a single slope as the formula says", () => {
    const { document } = train(plane, {
      target: "y",
      task: "regression",
      mode: "light",
      features: ["a"],
      parameters: { ridge: 400 },
    });
    const free = train(plane, {
      target: "y",
      task: "regression",
      mode: "light",
      features: ["a"],
      parameters: { ridge: 0 },
    });
    const slopeOf = (model: typeof document) => {
      const booster = model.model.learner.gradient_booster;
      return booster.name === "gblinear" ? booster.model.weights[0]! : Number.NaN;
    };
    // Standardised, the slope is n/(n + ridge) of the free one; it learns from 400 rows.
    expect(slopeOf(document) / slopeOf(free.document)).toBeCloseTo(0.5, 5);
  });

  test("a missing number counts as the column's mean", () => {
    const rows = plane.map((row, i) => (i % 10 === 0 ? { ...row, b: null } : row));
    const { document } = train(rows, { target: "y", task: "regression", mode: "light" });
    const mean = document.features.find((feature) => feature.column === "b");
    if (mean?.kind !== "number") throw new Error("b is a number.");
    const [missing, given] = predictRecords(document, [
      { a: 2, b: null },
      { a: 2, b: mean.mean },
    ]);
    expect(missing).toEqual(given);
  });

  test("logistic chances of one yes/no feature are the shares", () => {
    const rows = Array.from({ length: 800 }, (_, i) => ({
      x: i % 2,
      y: i % 2 === 1 ? (i % 8 === 7 ? "b" : "a") : i % 8 === 0 ? "a" : "b",
    }));
    const { document } = train(rows, { target: "y", task: "classification", mode: "light" });
    const [even, odd] = predictRecords(document, [{ x: 0 }, { x: 1 }]);
    // A quarter each, up to which rows the stratified split holds out.
    expect(even?.probabilities?.a).toBeGreaterThan(0.2);
    expect(even?.probabilities?.a).toBeLessThan(0.3);
    expect(odd?.probabilities?.b).toBeGreaterThan(0.2);
    expect(odd?.probabilities?.b).toBeLessThan(0.3);
  });

  test("many unknowns are solved as well as few", () => {
    const draw = seededRandom(3);
    const rows = Array.from({ length: 900 }, () => {
      const row: Row = {};
      let y = 0;
      for (let i = 0; i < 230; i++) {
        const value = draw();
        row[`x${i}`] = value;
        y += value * ((i % 5) - 2);
      }
      return { ...row, y };
    });
    const { metrics } = train(rows, { target: "y", task: "regression", mode: "light" });
    expect(metrics.r2).toBeGreaterThan(0.999);
  });
});

describe("heavy", () => {
  test("one step is found at its place, with the mean on each side", () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({ x: i, y: i < 120 ? 10 : 50 }));
    const { document } = train(rows, {
      target: "y",
      task: "regression",
      mode: "heavy",
      parameters: { rounds: 1, maxDepth: 1, learningRate: 1, lambda: 0 },
    });
    const predicted = predictRecords(document, [{ x: 100 }, { x: 150 }]).map(({ prediction }) => Number(prediction));
    expect(predicted[0]).toBeCloseTo(10, 4);
    expect(predicted[1]).toBeCloseTo(50, 4);
  });

  test("learns that missing itself says something", () => {
    const rows = Array.from({ length: 400 }, (_, i) => ({
      x: i % 4 === 0 ? null : (i % 7) + 1,
      y: i % 4 === 0 ? "gone" : "there",
    }));
    const { document, metrics } = train(rows, { target: "y", task: "classification", mode: "heavy" });
    expect(metrics.accuracy).toBe(1);
    expect(predictRecords(document, [{ x: null }, { x: 3 }]).map(({ prediction }) => prediction)).toEqual([
      "gone",
      "there",
    ]);
  });

  test("finds what no plane can: exclusive or", () => {
    const draw = seededRandom(5);
    const rows = Array.from({ length: 600 }, () => {
      const [a, b] = [draw() - 0.5, draw() - 0.5];
      return { a, b, y: a * b > 0 ? 1 : 0 };
    });
    const heavy = train(rows, { target: "y", task: "classification", mode: "heavy" });
    const light = train(rows, { target: "y", task: "classification", mode: "light" });
    expect(heavy.metrics.accuracy).toBeGreaterThan(0.93);
    expect(light.metrics.accuracy).toBeLessThan(0.7);
  });

  test("stops early on noise", () => {
    const draw = seededRandom(11);
    const rows = Array.from({ length: 500 }, () => ({ a: draw(), b: draw(), y: draw() }));
    const { document } = train(rows, { target: "y", task: "regression", mode: "heavy", parameters: { rounds: 300 } });
    const booster = document.model.learner.gradient_booster;
    expect(booster.name === "gbtree" && booster.model.trees.length).toBeLessThan(60);
  });
});

describe.each(modes)("%s, on real data", (mode) => {
  test.each([
    { file: "penguins.json", target: "Species", task: "classification", atLeast: 0.95 },
    { file: "penguins.json", target: "Sex", task: "classification", atLeast: 0.85 },
    { file: "cars.json", target: "Miles_per_Gallon", task: "regression", atLeast: 0.7 },
    { file: "cars.json", target: "Origin", task: "classification", atLeast: 0.7 },
  ] as const)("$file: $target is predicted better than by guessing", ({ file, target, task, atLeast }) => {
    const rows = readRows(file).filter((row) => row[target] !== ".");
    const { metrics } = train(rows, { target, task, mode });
    expect(metrics.relativeError).toBeLessThan(0.75);
    expect(metrics.accuracy ?? metrics.r2).toBeGreaterThan(atLeast);
    const shares = Object.values(metrics.featureImportances).reduce((sum, share) => sum + share, 0);
    expect(shares).toBeCloseTo(1, 9);
    const withTarget = rows.filter((row) => row[target] !== null && row[target] !== undefined);
    expect(metrics.rows).toEqual({ train: withTarget.length, test: withTarget.length });
  });

  test("the same request gives the same bytes, another seed others", () => {
    const rows = readRows("penguins.json");
    const bytes = (seed: number) =>
      serializeModelDocument(
        train(rows, { target: "Species", task: "classification", mode, parameters: { seed } }).document,
      );
    expect(bytes(1)).toBe(bytes(1));
    expect(bytes(1)).not.toBe(bytes(2));
  });

  test("the document predicts the same after its way through a file", () => {
    const rows = readRows("cars.json");
    const { document } = train(rows, { target: "Cylinders", task: "classification", mode });
    expect(predictRecords(JSON.parse(serializeModelDocument(document)), rows)).toEqual(predictRecords(document, rows));
  });

  test("progress goes up to 1", () => {
    const seen: number[] = [];
    trainModel(
      { table: toTable(plane), target: "y", task: "regression", mode, parameters: { rounds: 20 } },
      (fraction) => seen.push(fraction),
    );
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
    if (mode === "heavy") expect(seen.length).toBeGreaterThanOrEqual(20);
  });

  test("a column called __proto__ is a column like another", () => {
    const rows = plane.map(({ a, y }) => JSON.parse(`{"__proto__": ${a}, "y": ${y}}`) as Row);
    const { metrics, document } = train(rows, { target: "y", task: "regression", mode });
    expect(Object.keys(metrics.featureImportances)).toEqual(["__proto__"]);
    expect(predictRecords(document, rows.slice(0, 1))[0]?.prediction).toBeTypeOf("number");
  });
});

describe("data that cannot be trained on", () => {
  const mode = "light";
  test.each([
    ["TARGET_NOT_FOUND", plane, { target: "z", task: "regression" }],
    ["TARGET_SINGLE_CLASS", plane.map((row) => ({ ...row, y: "same" })), { target: "y", task: "classification" }],
    [
      "NO_USABLE_FEATURES",
      plane.map(({ y }, i) => ({ id: `row ${i}`, one: 1, y: y ?? null })),
      { target: "y", task: "regression" },
    ],
    ["TOO_FEW_ROWS", plane.slice(0, 7), { target: "y", task: "regression" }],
    [
      "TOO_FEW_ROWS",
      plane.slice(0, 9).map((row, i) => ({ ...row, y: `${i}` })),
      { target: "y", task: "classification" },
    ],
    ["TOO_MANY_CLASSES", plane, { target: "y", task: "classification" }],
    ["TARGET_NOT_NUMERIC", plane.map((row) => ({ ...row, y: "a" })), { target: "y", task: "regression" }],
    ["FEATURE_NOT_FOUND", plane, { target: "y", task: "regression", features: ["a", "z"] }],
    ["FEATURE_NOT_FOUND", plane, { target: "y", task: "regression", features: ["a", "y"] }],
  ] as const)("%s", (code, rows, request) => {
    expect(codeOf(() => train(rows, { ...request, mode }))).toBe(code);
  });
});

const counted = (cells: (row: number) => Row, rows = 60): Row[] => Array.from({ length: rows }, (_, row) => cells(row));

const [heldOut] = splitRows(Int32Array.from(counted(() => ({})).keys()), 0.25, 42).heldOut;

describe("numbers that a model of 32-bit floats cannot hold are refused", () => {
  const regression = { target: "y", task: "regression" } as const;
  test.each([
    ["a weight", counted((i) => ({ a: (i + 1) * 1e-39, y: i * 10 })), { ...regression, mode: "light" }],
    ["a bias", counted((i) => ({ a: 1e10 + i * 2e5, y: (1e38 * i) / 60 })), { ...regression, mode: "light" }],
    [
      "two classes",
      counted((i) => ({ a: (i + 1) * 1e-42, y: `${i % 2}` })),
      { target: "y", task: "classification", mode: "light" },
    ],
    [
      "a sum on its way",
      counted((i) => ({ a: i, b: i + (i % 2) / 4, y: 3e36 * (i % 2) })),
      { ...regression, mode: "light", parameters: { ridge: 0 } },
    ],
    [
      "a row that is measured on",
      counted((i) => ({ a: i === heldOut ? 3e38 : i / 1e6, y: i * 10 })),
      { ...regression, mode: "light", features: ["a"], parameters: { ridge: 0 } },
    ],
    [
      "leaves",
      counted((i) => ({ a: i, y: i % 2 === 0 ? -3.3e38 : 3.3e38 })),
      { ...regression, mode: "heavy", parameters: { learningRate: 1, lambda: 0 } },
    ],
  ] as const)("%s", (_, rows, request) => {
    expect(codeOf(() => train(rows, request as Parameters<typeof train>[1]))).toBe("NUMBERS_OUT_OF_RANGE");
  });

  test("in words that name the column", () => {
    const rows = counted((i) => ({ fine: (i * 7) % 5, a: (i + 1) * 1e-39, y: i * 10 }));
    expect(() => train(rows, { ...regression, mode: "light" })).toThrow(/32-bit floats: those of "a".*"y".*heavy/);
  });

  test.each(modes)("and large ones that a %s one does hold are not", (mode) => {
    const rows = counted((i) => ({ a: 1e30 * (i + 1), b: 1e-6 * (i % 7), y: 1e30 * i }));
    const { metrics } = train(rows, { ...regression, mode });
    expect(metrics.r2).toBeGreaterThan(0.9);
  });
});

test("a run without a usable column names five of them, each with its reason", () => {
  const message = (rows: readonly Row[], features?: string[]): string => {
    try {
      train(rows, { target: "y", task: "regression", mode: "light", features });
    } catch (error) {
      if (error instanceof TrainingDataError) return error.message;
    }
    return "";
  };
  const names = Array.from({ length: 7 }, (_, at) => `one${at}`);
  const same = counted((i) => ({ id: `row ${i}`, ...Object.fromEntries(names.map((name) => [name, 1])), y: i }), 80);
  expect(message(same)).toBe(
    "No column can be learned from: «id» is text with a value of its own in nearly each of the rows that were learnt from; " +
      [0, 1, 2, 3].map((at) => `«one${at}» has one value in all rows that were learnt from`).join("; ") +
      "; and so 3 more. Add or choose other columns.",
  );
  expect(message(counted((i) => ({ y: i })))).toBe(
    "No column can be learned from: there is none but the target. Add or choose other columns.",
  );
  expect(message(counted((i) => ({ gone: i % 2 ? "" : null, y: i })))).toContain("«gone» has no value in the rows");
  expect(message(counted((i) => ({ ["n".repeat(200)]: 1, y: i }))).length).toBeLessThan(300);
});
