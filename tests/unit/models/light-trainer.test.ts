import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { weightsOfClasses } from "../../../src/models/class-weights.ts";
import { type LightFit as AnyFit, type LightParameters, trainLight } from "../../../src/models/light-trainer.ts";
import { evaluateLoss, newLossState } from "../../../src/models/linear-loss.ts";
import { fitLinear } from "../../../src/models/linear-model.ts";
import { type Loss, standardise } from "../../../src/models/linear-problem.ts";
import { seededRandom } from "../../../src/models/split-rows.ts";
import { predictXgboost } from "../../../src/models/xgboost-json.ts";
import type { Dense } from "../../support/dense.ts";

type LightFit = Dense<AnyFit>;

interface Case {
  readonly name: string;
  readonly parameters: LightParameters;
  readonly columns: number[][];
  readonly target: number[];
  readonly classes: number | null;
  readonly weights: number[];
  readonly intercepts: number[];
  readonly logLoss?: number;
}

const reference: { readonly cases: readonly Case[] } = JSON.parse(
  readFileSync(new URL("../../fixtures/light-reference.json", import.meta.url), "utf8"),
);
const silent = (): void => {};

function fitOf(columns: readonly ArrayLike<number>[], target: ArrayLike<number>, classCount: number | null): LightFit {
  return {
    columns: columns.map((column) => Float32Array.from(column)),
    target: Float64Array.from(target),
    loss: classCount === null ? "squared" : classCount === 2 ? "logistic" : "softmax",
    outputs: classCount === null || classCount === 2 ? 1 : classCount,
    classes: classCount === null ? undefined : Array.from({ length: classCount }, (_, k) => String(k)),
  };
}

function deviationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

function logLossOf(fit: LightFit, model: ReturnType<typeof trainLight>["model"]): number {
  const rows = fit.target.length;
  const chances = predictXgboost(model, fit.columns, rows);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const k = fit.target[row]!;
    const chance = fit.outputs === 1 ? (k === 1 ? chances[row]! : 1 - chances[row]!) : chances[row * fit.outputs + k]!;
    sum -= Math.log(chance);
  }
  return sum / rows;
}

describe("beside scikit-learn's LogisticRegression and Ridge on scaled columns", () => {
  test.each(reference.cases)("$name: the same weights and log loss to a thousandth", (known) => {
    const fit = fitOf(known.columns, known.target, known.classes);
    const { model, weights, solver } = trainLight(fit, known.parameters, silent);
    expect(solver).toMatchObject({ name: known.weights.length > 200 ? "lbfgs" : "newton", converged: true });
    // By the spread of column and target, or weights of small columns would decide alone.
    const ofTarget = known.classes === null ? deviationOf(known.target) : 1;
    for (const [at, weight] of known.weights.entries()) {
      const scale = deviationOf(known.columns[Math.floor(at / fit.outputs)]!) / ofTarget;
      expect(Math.abs(weights.weights[at]! - weight) * scale).toBeLessThan(1e-3);
    }
    for (const [k, intercept] of known.intercepts.entries()) {
      const most = Math.max(1, ...known.intercepts.map(Math.abs));
      expect(Math.abs(weights.biases[k]! - intercept) / most).toBeLessThan(1e-3);
    }
    if (known.logLoss !== undefined) expect(Math.abs(logLossOf(fit, model) - known.logLoss)).toBeLessThan(1e-3);
  });
});

/** Noisy classes of a few columns. */
function noisy(rows: number, width: number, classCount: number, seed = 1): LightFit {
  const random = seededRandom(seed);
  const columns = Array.from({ length: width }, () => Array.from({ length: rows }, () => random() * 4 - 2));
  const target = Array.from({ length: rows }, (_, row) => {
    const told = columns.reduce((sum, column, at) => sum + column[row]! * Math.sin(at + 1), 0);
    const score = told / Math.sqrt(width) + random() * 6 - 3;
    return Math.min(classCount - 1, Math.max(0, Math.floor((score + 2) / (4 / classCount))));
  });
  return fitOf(columns, target, classCount);
}

const weightsOf = (fit: LightFit, parameters: LightParameters = {}): number[] => {
  const { weights } = trainLight(fit, parameters, silent);
  return [...weights.weights, ...weights.biases];
};

function expectAlike(some: readonly number[], others: readonly number[], digits: number): void {
  expect(some).toHaveLength(others.length);
  for (const [at, value] of some.entries()) expect(value).toBeCloseTo(others[at]!, digits);
}

describe("loss", () => {
  test.each(["squared", "logistic", "softmax"] satisfies Loss[])("the gradient of %s is that of its values", (loss) => {
    const classCount = { squared: null, logistic: 2, softmax: 4 }[loss];
    const random = seededRandom(9);
    // More rows than a block, and as many columns as fill no group of four.
    const made = noisy(1500, 5, classCount ?? 9);
    const rowWeights = made.target.map(() => 0.2 + random());
    const outputs = classCount === 4 ? 4 : 1;
    const problem = standardise({ ...made, loss, outputs, rowWeights, ridge: 3 });
    const at = Float64Array.from({ length: problem.width * outputs }, () => random() - 0.5);
    const state = newLossState(problem);
    evaluateLoss(problem, at, state);
    const gradient = state.gradient.slice();
    for (let i = 0; i < at.length; i++) {
      const shifted = (by: number): number => {
        const there = at.slice();
        there[i]! += by;
        return evaluateLoss(problem, there, state);
      };
      const slope = (shifted(1e-4) - shifted(-1e-4)) / 2e-4;
      expect(Math.abs(gradient[i]! - slope) / Math.max(1, Math.abs(slope))).toBeLessThan(1e-6);
    }
  });
});

/** One that Newton's method solves, and one that L-BFGS does. */
const sizes = [
  { solver: "newton", width: 6, classCount: 3 },
  { solver: "lbfgs", width: 60, classCount: 4 },
] as const;

describe.each(sizes)("$solver", ({ solver, width, classCount }) => {
  const fit = noisy(600, width, classCount);

  test("is what solves it, to a gradient of nothing", () => {
    expect(trainLight(fit, {}, silent).solver).toMatchObject({ name: solver, converged: true });
  });

  test("finds the same bits again", () => {
    expect(weightsOf(fit)).toEqual(weightsOf(fit));
  });

  test("finds the same whatever the order of the rows", () => {
    const turned = {
      ...fit,
      columns: fit.columns.map((column) => column.toReversed()),
      target: fit.target.toReversed(),
    };
    expectAlike(weightsOf(turned), weightsOf(fit), 3);
  });

  test("has no weight for a constant column, and the same for the others", () => {
    const constant = new Float32Array(fit.target.length).fill(7);
    const found = weightsOf({ ...fit, columns: [...fit.columns, constant] });
    const place = width * fit.outputs;
    expect(found.slice(place, place + fit.outputs).every((weight) => weight === 0)).toBe(true);
    expectAlike(found.toSpliced(place, fit.outputs), weightsOf(fit), 3);
  });

  test.each([0, 1])("has finite weights where classes can be told apart, with a ridge of %d", (ridge) => {
    const apart = { ...fit, columns: [Float32Array.from(fit.target), ...fit.columns] };
    const found = weightsOf(apart, { ridge });
    expect(found.every((weight) => Number.isFinite(weight) && Math.abs(weight) < 1e4)).toBe(true);
  });

  test("takes two columns that are the same", () => {
    const twice = { ...fit, columns: [fit.columns[0]!, ...fit.columns] };
    const found = weightsOf(twice);
    expectAlike(found.slice(0, fit.outputs), found.slice(fit.outputs, 2 * fit.outputs), 3);
  });

  test("tells how far it is, never back, up to 0.95", () => {
    const told: number[] = [];
    trainLight(fit, {}, (fraction) => told.push(fraction));
    expect(told.length).toBeGreaterThan(2);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(0.95);
    expect(told.every((fraction) => fraction >= 0)).toBe(true);
  });

  test("a weight of 2 for all is each row twice", () => {
    const doubled = {
      ...fit,
      columns: fit.columns.map((column) => Float32Array.from([...column, ...column])),
      target: Float64Array.from([...fit.target, ...fit.target]),
    };
    const classWeight = Object.fromEntries(fit.classes!.map((name) => [name, 2]));
    expectAlike(weightsOf(fit, { classWeight }), weightsOf(doubled), 3);
    expect(Math.abs(weightsOf(fit)[0]! - weightsOf(doubled)[0]!)).toBeGreaterThan(1e-4);
  });

  test("a weight of 3 for a class is each of its rows three times", () => {
    // Without a penalty, since copies move means and deviations, by which it is measured, and weights don't.
    const places = [...fit.target.keys()].flatMap((row) => (fit.target[row] === 1 ? [row, row, row] : [row]));
    const repeated = {
      ...fit,
      columns: fit.columns.map((column) => Float32Array.from(places, (row) => column[row]!)),
      target: Float64Array.from(places, (row) => fit.target[row]!),
    };
    const rowWeights = fit.target.map((k) => (k === 1 ? 3 : 1));
    const moved = (one: LightFit, weights: Float64Array): number[] => {
      const { weights: found, biases } = fitLinear({ ...one, rowWeights: weights, ridge: 0 }, silent);
      // Chances are the same whatever is added to all classes: what a weight is beside that of the first says all.
      return [...found, ...biases].map((weight, at, all) => weight - all[at - (at % fit.outputs)]!);
    };
    expectAlike(moved(fit, rowWeights), moved(repeated, new Float64Array(places.length).fill(1)), 2);
  });
});

test("a long way of L-BFGS takes few steps, and its progress goes up though its gradient does not always go down", () => {
  const { columns, target, classes } = reference.cases.at(-1)!;
  const told: number[] = [];
  const { solver } = trainLight(fitOf(columns, target, classes), { ridge: 0.01 }, (fraction) => told.push(fraction));
  expect(solver).toMatchObject({ name: "lbfgs", converged: true });
  expect(solver.iterations).toBeLessThan(50);
  expect(told).toHaveLength(solver.iterations + 1);
  expect(told).toEqual([...told].sort((a, b) => a - b));
});

test("numbers of more than a thousand columns are L-BFGS' too, and its predictions those of the columns that matter", () => {
  const random = seededRandom(2);
  const columns = Array.from({ length: 1010 }, () => Float32Array.from({ length: 1500 }, () => random() - 0.5));
  const target = columns[0]!.map((value, row) => 1e4 + 500 * value - 300 * columns[1009]![row]!);
  const { weights, solver } = trainLight(fitOf(columns, target, null), { ridge: 0.01 }, silent);
  expect(solver).toMatchObject({ name: "lbfgs", converged: true });
  expect(weights.weights[0]! / 500).toBeCloseTo(1, 2);
  expect(weights.weights[1009]! / -300).toBeCloseTo(1, 2);
  expect(weights.biases[0]! / 1e4).toBeCloseTo(1, 3);
});

describe("weights of classes", () => {
  const target = Float64Array.of(0, 0, 0, 0, 0, 0, 1, 1, 1, 2);

  test("balanced are rows / (classes × rows of the class)", () => {
    expect([...weightsOfClasses("balanced", ["a", "b", "c"], target)]).toEqual([10 / 18, 10 / 9, 10 / 3]);
  });

  test("balanced is as good as these weights by hand", () => {
    const fit = noisy(400, 3, 3);
    const byHand = weightsOfClasses("balanced", fit.classes!, fit.target);
    const classWeight = Object.fromEntries(fit.classes!.map((name, k) => [name, byHand[k]!]));
    expect(weightsOf(fit, { classWeight })).toEqual(weightsOf(fit, { classWeight: "balanced" }));
    expect(weightsOf(fit)).not.toEqual(weightsOf(fit, { classWeight: "balanced" }));
  });

  test("of classes that are not named are 1, also of one called as what every object has", () => {
    expect([...weightsOfClasses({ b: 4 }, ["a", "b", "toString"], target)]).toEqual([1, 4, 1]);
  });

  test("of what is no class are refused in words that name the classes", () => {
    expect(() => weightsOfClasses({ b: 4, B: 2 }, ["a", "b"], target)).toThrow(
      "`classWeight` names «B», and the classes are «a», «b». Name them as the model does.",
    );
  });
});

test.each([1, 2, 3])("%d outputs: whole weights are as rows that are repeated", (kind) => {
  const random = seededRandom(6);
  const fit =
    kind === 1 ? { ...noisy(60, 4, 2), loss: "squared" as const, outputs: 1, classes: undefined } : noisy(60, 4, kind);
  const weights = Float64Array.from(fit.target, () => Math.floor(random() * 4));
  const places = Array.from(weights).flatMap((weight, row) => new Array<number>(weight).fill(row));
  const byRows = {
    ...fit,
    columns: fit.columns.map((column) => Float32Array.from(places, (row) => column[row]!)),
    target: Float64Array.from(places, (row) => fit.target[row]!),
  };
  const weighted = trainLight({ ...fit, weights }, {}, silent).weights;
  const repeated = trainLight(byRows, {}, silent).weights;
  const plain = trainLight(fit, {}, silent).weights;
  for (const [at, weight] of weighted.weights.entries()) expect(weight).toBeCloseTo(repeated.weights[at]!, 4);
  for (const [at, bias] of weighted.biases.entries()) expect(bias).toBeCloseTo(repeated.biases[at]!, 4);
  expect(Math.max(...weighted.weights.map((weight, at) => Math.abs(weight - plain.weights[at]!)))).toBeGreaterThan(
    0.01,
  );
});

test.each([1, 100, 1e4, 1e6])(
  "rare categories take no more steps than columns of one scale, with a ridge of %d",
  (ridge) => {
    const random = seededRandom(12);
    // A sixth of the rows have the first value, and few the last ones.
    const drawn = Array.from({ length: 1500 }, () => Math.floor(80 ** random()) - 1);
    const columns = Array.from({ length: 79 }, (_, value) => drawn.map((each) => Number(each === value)));
    const target = drawn.map((value) => Math.min(3, Math.floor(random() * 2 + (value % 3))));
    const ofCategories = columns.map(() => true);
    const { solver } = trainLight({ ...fitOf(columns, target, 4), ofCategories }, { ridge }, silent);
    expect(solver).toMatchObject({ name: "lbfgs", converged: true });
    expect(solver.iterations).toBeLessThan(60);
  },
);
