import { describe, expect, test } from "vitest";
import type { HeavyParameters } from "../../../src/models/heavy-parameters.ts";
import { type HeavyFit as AnyFit, trainHeavy } from "../../../src/models/heavy-trainer.ts";
import { seededRandom } from "../../../src/models/split-rows.ts";
import { predictXgboost } from "../../../src/models/xgboost-json.ts";
import type { Dense } from "../../support/dense.ts";

type HeavyFit = Dense<AnyFit>;

type Tiny = Pick<HeavyFit, "columns" | "target">;

/** Few values a column, some of them missing; a target that no two rows have in common. */
function tiny(rows: number, columnCount: number, seed: number): Tiny {
  const random = seededRandom(seed);
  const cell = (): number => (random() < 0.15 ? Number.NaN : Math.floor(random() * 7) - 3);
  const columns = Array.from({ length: columnCount }, () => Float32Array.from({ length: rows }, cell));
  const target = Float64Array.from({ length: rows }, (_, row) => 4 * random() + (columns[0]![row]! > 0 ? 3 : 0));
  return { columns, target };
}

const tasks = ["numbers", "two classes", "three classes"] as const;

function fitOf({ columns, target }: Tiny, task: (typeof tasks)[number]): HeavyFit {
  if (task === "numbers") return { columns, target, loss: "squared", outputs: 1 };
  const classes = task === "two classes" ? 2 : 3;
  const inOrder = target.toSorted();
  const classOf = target.map((value) => Math.floor((inOrder.indexOf(value) * classes) / target.length));
  return { columns, target: classOf, loss: classes === 2 ? "logistic" : "softmax", outputs: classes === 2 ? 1 : 3 };
}

/** What a model says of the rows that it was learnt from. */
function saidOf(fit: HeavyFit, parameters: HeavyParameters): Float64Array {
  const { model } = trainHeavy(fit, { earlyStopping: "none", ...parameters }, 42, () => {});
  return predictXgboost(model, fit.columns, fit.target.length);
}

interface Node {
  readonly rows: readonly number[];
  readonly sum: number;
}

/** One tree on distances from the mean: of each node every way to part it is tried, and the sums are made anew. */
function treeByTrying({ columns, target }: Tiny, depth: number, lambda: number): Float64Array {
  const mean = target.reduce((sum, value) => sum + value, 0) / target.length;
  // What gains less is taken for rounding, whatever the target's unit.
  const leastGain = (1e-6 * target.reduce((sum, value) => sum + (value - mean) ** 2, 0)) / target.length;
  const said = new Float64Array(target.length);
  const nodeOf = (rows: readonly number[]): Node => ({
    rows,
    sum: rows.reduce((sum, row) => sum + target[row]! - mean, 0),
  });
  const worthOf = ({ rows, sum }: Node): number => sum ** 2 / (rows.length + lambda);
  const grow = (node: Node, left: number): void => {
    const ways = left === 0 ? [] : columns.flatMap((column) => waysToPart(node.rows, column));
    const parted = ways.map(({ low, high }) => [nodeOf(low), nodeOf(high)] as const);
    const gains = parted.map(([low, high]) => worthOf(low) + worthOf(high) - worthOf(node));
    const best = gains.indexOf(Math.max(...gains));
    if (best >= 0 && gains[best]! > leastGain) for (const side of parted[best]!) grow(side, left - 1);
    else for (const row of node.rows) said[row] = mean + node.sum / (node.rows.length + lambda);
  };
  grow(nodeOf([...target.keys()]), depth);
  return said;
}

/** Between any two values, rows without one on either side. */
function waysToPart(rows: readonly number[], column: Float32Array) {
  const cuts = [...new Set(rows.map((row) => column[row]!))].filter((value) => !Number.isNaN(value));
  return cuts
    .flatMap((cut) =>
      [true, false].map((missingIsLow) => {
        const isLow = (row: number) => (Number.isNaN(column[row]!) ? missingIsLow : column[row]! < cut);
        return { low: rows.filter(isLow), high: rows.filter((row) => !isLow(row)) };
      }),
    )
    .filter(({ low, high }) => low.length > 0 && high.length > 0);
}

describe.each([0, 1, 5])("lambda %d: a tree is the one that is found by trying every split", (lambda) => {
  test.each([1, 2, 3])("of depth %d, on tiny tables", (maxDepth) => {
    for (let seed = 1; seed <= 40; seed++) {
      const table = tiny(5 + (seed % 20), 1 + (seed % 3), seed);
      const said = saidOf(fitOf(table, "numbers"), { rounds: 1, learningRate: 1, maxDepth, lambda });
      for (const [row, value] of treeByTrying(table, maxDepth, lambda).entries())
        expect(said[row]).toBeCloseTo(value, 4);
    }
  });
});

describe.each(tasks)("trees of %s", (task) => {
  const table = tiny(40, 3, 99);
  const fit = fitOf(table, task);
  const said = saidOf(fit, { rounds: 12 });
  const expectAlike = (others: Float64Array, digits: number): void => {
    for (const [at, value] of said.entries()) expect(others[at]).toBeCloseTo(value, digits);
  };

  test("do not depend on the order of the rows", () => {
    const random = seededRandom(7);
    const order = Int32Array.from(
      Array.from(fit.target.keys(), (row) => [random(), row] as const).sort((a, b) => a[0] - b[0]),
      ([, row]) => row,
    );
    const moved = {
      ...fit,
      columns: fit.columns.map((column) => Float32Array.from(order, (row) => column[row]!)),
      target: Float64Array.from(order, (row) => fit.target[row]!),
    };
    const ofMoved = saidOf(moved, { rounds: 12 });
    const back = new Float64Array(said.length);
    for (const [place, row] of order.entries())
      for (let k = 0; k < fit.outputs; k++) back[row * fit.outputs + k] = ofMoved[place * fit.outputs + k]!;
    expectAlike(back, 4);
  });

  test.each<[string, (value: number) => number]>([
    ["x ↦ 1000 + x³", (value) => 1000 + value ** 3],
    ["x ↦ eˣ", Math.exp],
    ["x ↦ 5 x − 2", (value) => 5 * value - 2],
  ])("are the same of columns that are stretched, %s", (_, stretch) => {
    const columns = fit.columns.map((column) => column.map(stretch));
    expect(saidOf({ ...fit, columns }, { rounds: 12 })).toEqual(said);
  });

  test("do not see a constant column, nor one without a value", () => {
    const constant = new Float32Array(fit.target.length).fill(3);
    const columns = [...fit.columns, constant, constant.map(() => Number.NaN)];
    expect(saidOf({ ...fit, columns }, { rounds: 12 })).toEqual(said);
  });

  test("hardly see a column twice", () => {
    expectAlike(saidOf({ ...fit, columns: [...fit.columns, fit.columns[0]!] }, { rounds: 12 }), 6);
  });
});
