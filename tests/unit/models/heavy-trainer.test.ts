import { describe, expect, test } from "vitest";
import { dealOut, splitsOf as splitByFold } from "../../../src/models/folds.ts";
import type { HeavyParameters } from "../../../src/models/heavy-parameters.ts";
import { type HeavyFit as AnyFit, trainHeavy } from "../../../src/models/heavy-trainer.ts";
import type { XgboostModel, XgboostTree } from "../../../src/models/model.ts";
import { seededRandom } from "../../../src/models/split-rows.ts";
import { predictXgboost } from "../../../src/models/xgboost-json.ts";
import type { Dense } from "../../support/dense.ts";

type HeavyFit = Dense<AnyFit>;

const silent = (): void => {};
/** So few rows that none is kept for stopping: what is learnt from is what is given. */
const fewRows = 48;

function numbers(rows: number, seed = 5): HeavyFit {
  const random = seededRandom(seed);
  const columns = Array.from({ length: 4 }, (_, feature) =>
    Float32Array.from({ length: rows }, () => (feature === 3 ? Math.floor(random() * 5) : random() * 10)),
  );
  const target = Float64Array.from(
    { length: rows },
    (_, row) => 3 * columns[0]![row]! + Math.sin(columns[1]![row]!) * 8 + random() * 6,
  );
  return { columns, target, loss: "squared", outputs: 1 };
}

function classesOf(fit: HeavyFit, count: number): HeavyFit {
  const sorted = fit.target.toSorted();
  const target = fit.target.map((value) => Math.floor((sorted.indexOf(value) * count) / sorted.length));
  return { ...fit, target, loss: count === 2 ? "logistic" : "softmax", outputs: count === 2 ? 1 : count };
}

const counts = (fit: HeavyFit): HeavyFit => ({
  ...fit,
  target: fit.target.map((value) => Math.max(0, Math.round(value / 4))),
});

const train = (fit: HeavyFit, parameters: HeavyParameters = {}, seed = 42): XgboostModel =>
  trainHeavy(fit, parameters, seed, silent).model;

function treesOf({ learner }: XgboostModel): XgboostTree[] {
  if (learner.gradient_booster.name !== "gbtree") throw new Error("no trees");
  return learner.gradient_booster.model.trees;
}

const predict = (model: XgboostModel, { columns, target }: HeavyFit): Float64Array =>
  predictXgboost(model, columns, target.length);
const leavesOf = (tree: XgboostTree): number[] =>
  tree.split_conditions.filter((_, node) => tree.left_children[node] === -1);
const splitsOf = (tree: XgboostTree): number[] =>
  tree.split_indices.filter((_, node) => tree.left_children[node] !== -1);
const meanOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, each) => sum + each, 0) / values.length;

describe("folds that say when to stop", () => {
  // Of fewer than 60 rows none are kept aside.
  const small = numbers(59, 8);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const lossOf = ({ loss, outputs }: HeavyFit, said: Float64Array, value: number, row: number): number => {
    if (loss === "squared") return (said[row]! - value) ** 2;
    if (loss === "softmax") return -Math.log(said[row * outputs + value]!);
    return -Math.log(value === 1 ? said[row]! : 1 - said[row]!);
  };
  /** The mean loss of models of so many rounds, each on the fifth that it was not learnt from. */
  const lossAfter = (fit: HeavyFit, rounds: number, learningRate: number): number => {
    const classOf = fit.loss === "squared" ? undefined : fit.target;
    const foldOf = dealOut(fit.target.length, 5, seededRandom(43), classOf);
    const losses = [...splitByFold(foldOf, 5)].map(({ kept, heldOut }) => {
      const weights = fit.target.map((_, place) => (kept.includes(place) ? 1 : 0));
      const model = train(
        { ...fit, weights },
        { rounds, learningRate, earlyStopping: "part", earlyStoppingRounds: 5000, refit: false },
      );
      const said = predict(model, fit);
      return mean(Array.from(heldOut, (row) => lossOf(fit, said, fit.target[row]!, row)));
    });
    return mean(losses);
  };

  test.each([
    ["numbers", small],
    ["two classes", classesOf(small, 2)],
    ["three classes", classesOf(small, 3)],
  ])("of %s: the model has the rounds after which their loss is least, and learns from all rows", (_, fit) => {
    const [learningRate, rounds] = [0.7, 16];
    const model = train(fit, { rounds, learningRate, earlyStopping: "folds", earlyStoppingRounds: rounds });
    const losses = Array.from({ length: rounds }, (_each, at) => lossAfter(fit, at + 1, learningRate));
    const best = losses.indexOf(Math.min(...losses)) + 1;
    expect(best).toBeLessThan(rounds);
    expect(treesOf(model)).toHaveLength(best * fit.outputs);
    expect(model).toEqual(
      train(fit, { rounds: best, learningRate, earlyStopping: "folds", earlyStoppingRounds: rounds }),
    );
  });
});

describe("penalties", () => {
  // Two groups of four rows: 0 and 8 from their mean of 4.
  const two: HeavyFit = {
    columns: [Float32Array.of(0, 0, 0, 0, 1, 1, 1, 1)],
    target: Float64Array.of(0, 0, 0, 0, 8, 8, 8, 8),
    loss: "squared",
    outputs: 1,
  };
  const one = { rounds: 1, maxDepth: 1, learningRate: 1 };

  test.each([
    [0, 0],
    [0, 3],
    [1, 3],
    [2, 15],
  ])("lambda %d and alpha %d: a leaf is its gradient less alpha, by its rows and lambda", (lambda, alpha) => {
    const leaves = leavesOf(treesOf(train(two, { ...one, lambda, alpha }))[0]!);
    const value = (16 - alpha) / (4 + lambda);
    expect(leaves).toHaveLength(2);
    expect(leaves[0]).toBeCloseTo(-value, 5);
    expect(leaves[1]).toBeCloseTo(value, 5);
  });

  test("alpha above all gradients leaves one leaf of 0", () => {
    const [tree] = treesOf(train(two, { ...one, alpha: 16 }));
    expect(leavesOf(tree!)).toHaveLength(1);
    expect(leavesOf(tree!)[0]).toBeCloseTo(0, 9);
  });

  test("gamma, in the target's units: a split gains it or is not made", () => {
    // 16² ÷ (4 + 1) on both sides, and nothing as a whole.
    const gain = (2 * 16 ** 2) / 5;
    expect(leavesOf(treesOf(train(two, { ...one, gamma: gain * 0.999 }))[0]!)).toHaveLength(2);
    expect(leavesOf(treesOf(train(two, { ...one, gamma: gain * 1.001 }))[0]!)).toHaveLength(1);
    const large = { ...two, target: two.target.map((value) => value * 1000) };
    expect(leavesOf(treesOf(train(large, { ...one, gamma: gain * 0.999e6 }))[0]!)).toHaveLength(2);
    expect(leavesOf(treesOf(train(large, { ...one, gamma: gain * 1.001e6 }))[0]!)).toHaveLength(1);
  });
});

describe("sampling", () => {
  test("of rows: each round has its share, and the same seed the same trees", () => {
    const fit = numbers(fewRows);
    const model = train(fit, { subsample: 0.5, rounds: 20 });
    // The first derivative's second: 1 a row.
    for (const tree of treesOf(model)) expect(tree.sum_hessian[0]).toBeCloseTo(fewRows / 2, 4);
    expect(train(fit, { subsample: 0.5, rounds: 20 })).toEqual(model);
    expect(train(fit, { subsample: 0.5, rounds: 20 }, 43)).not.toEqual(model);
    expect(train(fit, { subsample: 1, rounds: 20 })).toEqual(train(fit, { rounds: 20 }, 43));
  });

  test("rows that a round does not draw are boosted on: their predictions grow with each tree", () => {
    const fit = numbers(fewRows);
    const errorAfter = (rounds: number): number => {
      const predictions = predict(train(fit, { subsample: 0.3, rounds, learningRate: 0.3 }), fit);
      return meanOf(predictions.map((value, row) => (value - fit.target[row]!) ** 2));
    };
    expect(errorAfter(60)).toBeLessThan(errorAfter(5) / 3);
  });

  test("of features: each tree splits by its own, one at least", () => {
    const fit = numbers(fewRows);
    const seen = new Set<number>();
    for (const tree of treesOf(train(fit, { colsampleByTree: 0.01, rounds: 40 }))) {
      const used = new Set(splitsOf(tree));
      expect(used.size).toBeLessThanOrEqual(1);
      for (const feature of used) seen.add(feature);
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3]);
    for (const tree of treesOf(train(fit, { colsampleByTree: 0.75, rounds: 40 })))
      expect(new Set(splitsOf(tree)).size).toBeLessThanOrEqual(3);
  });

  test("maxBins is how many different values a model tells apart", () => {
    const all = numbers(200);
    const fit = { ...all, columns: all.columns.slice(0, 1) };
    for (const maxBins of [2, 3, 16]) {
      const thresholds = treesOf(train(fit, { maxBins })).flatMap((tree) =>
        tree.split_conditions.filter((_, node) => tree.left_children[node] !== -1),
      );
      expect(new Set(thresholds).size).toBeLessThanOrEqual(maxBins - 1);
      expect(thresholds.length).toBeGreaterThan(0);
    }
  });

  test.each([undefined, 1])("a feature that is mostly 0 has bins for what it else is, rows weighing %s", (weight) => {
    const random = seededRandom(3);
    const column = Float32Array.from({ length: 2_000 }, (_, row) => (row % 10 ? 0 : 1 + random() * 100));
    const target = Float64Array.from(column, (value) => value / 10 + (value > 0 ? 5 : 0));
    const weights = weight === undefined ? undefined : new Float64Array(2_000).fill(weight);
    const fit: HeavyFit = { columns: [column], target, loss: "squared", outputs: 1, weights };
    const model = train(fit, { maxBins: 8, rounds: 50, learningRate: 0.3 });
    const off = meanOf(predict(model, fit).map((value, row) => (value - target[row]!) ** 2));
    const middle = meanOf(target);
    expect(off).toBeLessThan(0.05 * meanOf(target.map((value) => (value - middle) ** 2)));
  });
});

test("without penalties a side without rows is no split", () => {
  const random = seededRandom(4);
  const columns = [0, 1].map(() => Float32Array.from({ length: 400 }, () => Math.floor(random() * 100)));
  const target = Float64Array.from(columns[0]!, (x, row) => 0.7 * x + 0.31 * columns[1]![row]! + random());
  const fit: HeavyFit = { columns, target, loss: "squared", outputs: 1 };
  const nodesAt = (lambda: number): number => {
    const how = { rounds: 1, learningRate: 1, maxDepth: 6, lambda, minChildWeight: 0 };
    return treesOf(train(fit, how))[0]!.split_indices.length;
  };
  expect(nodesAt(0)).toBeGreaterThan(0.9 * nodesAt(1e-6));
});

test.each(["reg:absoluteerror", "reg:quantileerror"] as const)("%s is the same in any unit", (objective) => {
  const random = seededRandom(6);
  const columns = [0, 1].map(() => Float32Array.from({ length: 400 }, () => Math.floor(random() * 20)));
  const whole = Float64Array.from(
    columns[0]!,
    (x, row) => Math.round(x / 3 + columns[1]![row]! / 9 + random() * 2) + 2,
  );
  const treesIn = (unit: number) => {
    const fit: HeavyFit = { columns, target: whole.map((value) => value / unit), loss: "squared", outputs: 1 };
    return treesOf(train(fit, { objective, quantileAlpha: 0.6, rounds: 1 })).map(splitsOf);
  };
  expect(treesIn(10)).toEqual(treesIn(1));
});

describe("weights", () => {
  const random = seededRandom(8);
  const weights = Float64Array.from({ length: 20 }, () => [0, 1, 2, 3][Math.floor(random() * 4)]!);
  const repeated = (fit: HeavyFit): HeavyFit => {
    const places = Array.from(weights).flatMap((weight, row) => new Array<number>(weight).fill(row));
    return {
      ...fit,
      columns: fit.columns.map((column) => Float32Array.from(places, (row) => column[row]!)),
      target: Float64Array.from(places, (row) => fit.target[row]!),
    };
  };
  const some = numbers(20);
  test.each([
    ["squared", some, {}],
    ["two classes", classesOf(some, 2), {}],
    ["three classes", classesOf(some, 3), {}],
    ["counts", counts(some), { objective: "count:poisson" }],
    ["few bins", some, { maxBins: 4 }],
  ] as [string, HeavyFit, HeavyParameters][])(
    "%s: whole ones are as rows that are repeated",
    (_name, fit, parameters) => {
      const weighted = predict(train({ ...fit, weights }, parameters), fit);
      const byRows = predict(train(repeated(fit), parameters), fit);
      const plain = predict(train(fit, parameters), fit);
      // Columns that split the same rows gain the same, and rounding says by which: rows of weight 0 may fall either way.
      for (const [at, value] of weighted.entries()) if (weights[at]! > 0) expect(value).toBeCloseTo(byRows[at]!, 4);
      expect(Math.max(...weighted.map((value, at) => Math.abs(value - plain[at]!)))).toBeGreaterThan(0.01);
    },
  );

  test("scalePosWeight is the weight of the second class, and is written into the model", () => {
    const fit = classesOf(some, 2);
    const scaled = train(fit, { scalePosWeight: 5 });
    const weighted = train({ ...fit, weights: fit.target.map((value) => (value === 1 ? 5 : 1)) });
    expect(treesOf(scaled)).toEqual(treesOf(weighted));
    expect(scaled.learner.objective).toMatchObject({ reg_loss_param: { scale_pos_weight: "5" } });
    expect(meanOf(predict(scaled, fit))).toBeGreaterThan(meanOf(predict(train(fit), fit)) + 0.02);
  });
});

describe("refit", () => {
  test("keeps the number of rounds and learns from every row; its progress goes on from the middle", () => {
    const fit = numbers(400);
    const plain = train(fit, { rounds: 500, refit: false });
    const seen: number[] = [];
    const { model } = trainHeavy(fit, { rounds: 500, earlyStopping: "part" }, 42, (fraction) => seen.push(fraction));
    expect(treesOf(model)).toHaveLength(treesOf(plain).length);
    expect(treesOf(plain).length).toBeLessThan(500);
    expect(treesOf(plain)[0]!.sum_hessian[0]).toBeCloseTo(340, 4);
    expect(treesOf(model)[0]!.sum_hessian[0]).toBeCloseTo(400, 4);
    expect(seen.toSorted((a, b) => a - b)).toEqual(seen);
    expect(seen.at(-1)).toBe(1);
  });
});

describe("monotone constraints", () => {
  const grid = Float32Array.from({ length: 60 }, (_, at) => at / 5 - 1);
  test.each(
    [1, 2, 3].flatMap((seed) =>
      [2, 4, 7].flatMap((maxDepth) => ([1, -1] as const).map((rule) => [seed, maxDepth, rule] as const)),
    ),
  )("seed %d, depth %d, rule %d: no answer goes the other way", (seed, maxDepth, rule) => {
    const fit = numbers(300, seed);
    for (const each of [fit, classesOf(fit, 2), { ...counts(fit), objective: "count:poisson" as const }]) {
      const parameters = { maxDepth, alpha: seed % 2, ...("objective" in each && { objective: each.objective }) };
      // By column 1 the target goes up and down.
      const model = train({ ...each, monotone: Int8Array.of(0, rule, 0, 0) }, parameters);
      const free = train(each, parameters);
      const isKept = (of: XgboostModel): boolean =>
        Array.from({ length: 20 }, (_, row) => row).every((row) => {
          const columns = fit.columns.map((column, at) => (at === 1 ? grid : new Float32Array(60).fill(column[row]!)));
          const answers = predictXgboost(of, columns, 60);
          return answers.every((value, at) => at === 0 || rule * (value - answers[at - 1]!) >= -1e-6);
        });
      expect(isKept(model)).toBe(true);
      expect(isKept(free)).toBe(false);
    }
  });
});

describe("objectives", () => {
  // Most rows lie near each other, some far above.
  const random = seededRandom(2);
  const skewed: HeavyFit = {
    columns: [Float32Array.from({ length: 400 }, (_, row) => row % 4)],
    target: Float64Array.from({ length: 400 }, (_, row) => (row % 4) * 10 + (random() < 0.2 ? 100 : 0) + random()),
    loss: "squared",
    outputs: 1,
  };

  test.each([
    ["reg:absoluteerror", undefined, 0.5],
    ["reg:quantileerror", 0.1, 0.1],
    ["reg:quantileerror", 0.9, 0.9],
    ["reg:quantileerror", undefined, 0.5],
  ] as const)("%s of %s: that share of the rows lies below", (objective, quantileAlpha, share) => {
    const predictions = predict(train(skewed, { objective, quantileAlpha, rounds: 200, learningRate: 0.3 }), skewed);
    for (const group of [0, 1, 2, 3]) {
      const below = skewed.target.filter((value, row) => row % 4 === group && value < predictions[row]!).length / 100;
      expect(Math.abs(below - share)).toBeLessThan(0.12);
    }
  });

  test("count:poisson predicts means of counts, never below 0", () => {
    const fit = counts(skewed);
    const predictions = predict(train(fit, { objective: "count:poisson", rounds: 300 }), fit);
    for (const group of [0, 1, 2, 3]) {
      const ofGroup = (_: number, row: number): boolean => row % 4 === group;
      expect(meanOf(predictions.filter(ofGroup)) / meanOf(fit.target.filter(ofGroup))).toBeCloseTo(1, 0);
    }
    expect(Math.min(...predictions)).toBeGreaterThan(0);
  });
});
