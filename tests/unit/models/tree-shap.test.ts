import { describe, expect, test } from "vitest";
import type { XgboostTree } from "../../../src/models/model.ts";
import { seededRandom } from "../../../src/models/split-rows.ts";
import { addTreeContributions } from "../../../src/models/tree-shap.ts";

const featureCount = 5;
const rowCount = 40;

/** A tree whose ways may meet a feature again, and with leaves that no row came to. */
function randomTree(random: () => number, deepest: number): XgboostTree {
  const tree = {
    left_children: [] as number[],
    right_children: [] as number[],
    parents: [] as number[],
    split_indices: [] as number[],
    split_conditions: [] as number[],
    default_left: [] as number[],
    sum_hessian: [] as number[],
  };
  const add = (parent: number, depth: number): number => {
    const node = tree.parents.push(parent) - 1;
    const isLeaf = depth === deepest || random() < 0.2;
    tree.split_indices[node] = Math.floor(random() * (featureCount - 1));
    tree.split_conditions[node] = Math.fround(isLeaf ? random() * 10 - 5 : random());
    tree.default_left[node] = random() < 0.5 ? 1 : 0;
    tree.left_children[node] = -1;
    tree.right_children[node] = -1;
    tree.sum_hessian[node] = random() < 0.1 ? 0 : random() * 20;
    if (isLeaf) return node;
    tree.left_children[node] = add(node, depth + 1);
    tree.right_children[node] = add(node, depth + 1);
    tree.sum_hessian[node] =
      tree.sum_hessian[tree.left_children[node]!]! + tree.sum_hessian[tree.right_children[node]!]!;
    return node;
  };
  add(-1, 0);
  return tree as unknown as XgboostTree;
}

const randomColumns = (random: () => number): Float32Array[] =>
  Array.from({ length: featureCount }, () =>
    Float32Array.from({ length: rowCount }, () => (random() < 0.15 ? Number.NaN : random())),
  );

/** What the tree says of a row of which only some features are known: of an unknown one, both sides by their rows. */
function saidOf(tree: XgboostTree, columns: readonly Float32Array[], row: number, known: ReadonlySet<number>): number {
  const say = (node: number): number => {
    const [left, right] = [tree.left_children[node]!, tree.right_children[node]!];
    if (left < 0) return tree.split_conditions[node]!;
    const feature = tree.split_indices[node]!;
    if (known.has(feature)) {
      const value = columns[feature]![row]!;
      const goesLeft = Number.isNaN(value) ? tree.default_left[node] === 1 : value < tree.split_conditions[node]!;
      return say(goesLeft ? left : right);
    }
    const [ofLeft, ofRight] = [tree.sum_hessian[left]!, tree.sum_hessian[right]!];
    const share = ofLeft + ofRight > 0 ? ofLeft / (ofLeft + ofRight) : 0.5;
    return share * say(left) + (1 - share) * say(right);
  };
  return say(0);
}

/** By the definition: the mean over all orders in which features become known. */
function shapleyValues(value: (known: ReadonlySet<number>) => number): number[] {
  const all = Array.from({ length: featureCount }, (_, feature) => feature);
  const orders = permutations(all);
  const sums = all.map(() => 0);
  for (const order of orders) {
    const known = new Set<number>();
    let before = value(known);
    for (const feature of order) {
      known.add(feature);
      const after = value(known);
      sums[feature]! += (after - before) / orders.length;
      before = after;
    }
  }
  return sums;
}

const permutations = (items: readonly number[]): number[][] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));

function explain(tree: XgboostTree, columns: readonly Float32Array[]) {
  const into = new Float64Array(rowCount * featureCount);
  const slots = columns.map((_, feature) => feature);
  const mean = addTreeContributions(tree, columns, rowCount, { into, stride: featureCount, at: 0, slots });
  const ofRow = (row: number) => [...into.subarray(row * featureCount, (row + 1) * featureCount)];
  return { mean, ofRow };
}

describe.each([1, 2, 3, 4, 5, 6])("seed %i: SHAP values of a random tree", (seed) => {
  const random = seededRandom(seed);
  const tree = randomTree(random, seed);
  const columns = randomColumns(random);
  const { mean, ofRow } = explain(tree, columns);

  test("are the Shapley values, by trying all orders", () => {
    expect(mean).toBeCloseTo(saidOf(tree, columns, 0, new Set()), 10);
    for (let row = 0; row < 8; row++) {
      const expected = shapleyValues((known) => saidOf(tree, columns, row, known));
      for (const [feature, value] of ofRow(row).entries()) expect(value).toBeCloseTo(expected[feature]!, 10);
    }
  });

  test("add up to what the tree says, and are 0 of a feature that no split asks for", () => {
    const everything = new Set(columns.keys());
    for (let row = 0; row < rowCount; row++) {
      const values = ofRow(row);
      const sum = values.reduce((total, value) => total + value, mean);
      expect(sum).toBeCloseTo(saidOf(tree, columns, row, everything), 10);
      expect(values[featureCount - 1]).toBe(0);
    }
  });
});

test("deep trees lose no digits", () => {
  const random = seededRandom(7);
  const tree = randomTree(random, 12);
  const columns = randomColumns(random);
  const { mean, ofRow } = explain(tree, columns);
  for (let row = 0; row < rowCount; row++) {
    const sum = ofRow(row).reduce((total, value) => total + value, mean);
    expect(sum).toBeCloseTo(saidOf(tree, columns, row, new Set(columns.keys())), 9);
  }
});
