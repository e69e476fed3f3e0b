import { expect, test } from "vitest";
import { fitBoostedTrees, type TreesFit } from "../../../src/models/boosted-trees.ts";
import { binColumns } from "../../../src/models/feature-bins.ts";
import { floatsOf, pickPlaces } from "../../../src/models/feature-column.ts";
import { buildFeatureSchema, featureColumns } from "../../../src/models/feature-schema.ts";
import { trainHeavy } from "../../../src/models/heavy-trainer.ts";
import { placesOf } from "../../../src/models/in-order.ts";
import { seededRandom } from "../../../src/models/split-rows.ts";
import { codeTexts } from "../../../src/models/text-codes.ts";
import type { TableColumn } from "../../../src/models/training-table.ts";
import type { Tree } from "../../../src/models/tree.ts";
import { addLeaves } from "../../../src/models/walk-bins.ts";
import { predictXgboost } from "../../../src/models/xgboost-json.ts";

const rowCount = 1_500;
const rows = placesOf(rowCount);
const random = seededRandom(5);
const some = (cell: number): number => (random() < 0.1 ? Number.NaN : cell);
const numbers = (scale: number) => Float64Array.from(rows, () => some(Math.round(random() * scale) / 8));
const texts = Array.from(rows, () => (random() < 0.1 ? null : `kind ${Math.floor(random() ** 2 * 70)}`));
const table: TableColumn[] = [
  { name: "a", kind: "number", numbers: numbers(4_000) },
  { name: "b", kind: "number", numbers: numbers(30) },
  { name: "kind", kind: "text", ...codeTexts(texts) },
];
const columns = new Map(table.map((column) => [column.name, column]));
const { features } = buildFeatureSchema(table, rows);
const inTable = featureColumns(features, columns, rows, false);
const asFloats = inTable.map(floatsOf);
const kindOf = (text: string | null): number => (text === null ? 9 : text.length + (text.endsWith("3") ? 6 : 0));
const target = Float64Array.from(
  rows,
  (row) => (asFloats[0]![row]! || 70) / 60 + kindOf(texts[row]!) + (asFloats[1]![row]! > 2 ? 4 : 0) + random(),
);

test("categories are features of 0 and 1, learnt alike whether they are one list or as many columns", () => {
  expect(asFloats).toHaveLength(53);
  const fit = { target, loss: "squared", outputs: 1 } as const;
  for (const parameters of [{ rounds: 40 }, { rounds: 25, colsampleByTree: 0.3, subsample: 0.5, minChildWeight: 0 }]) {
    const ofTable = trainHeavy({ ...fit, columns: inTable }, parameters, 42, () => {}).model;
    const ofFloats = trainHeavy({ ...fit, columns: asFloats }, parameters, 42, () => {}).model;
    const said = predictXgboost(ofTable, asFloats, rowCount);
    const known = predictXgboost(ofFloats, asFloats, rowCount);
    // Sums of the same numbers in another order: a split may be another where two are as good.
    expect(Math.max(...said.map((value, row) => Math.abs(value - known[row]!)))).toBeLessThan(1e-4);
    expect(new Set(said).size).toBeGreaterThan(100);
  }
});

test("some places of features are those of their floats", () => {
  const places = Int32Array.of(3, 700, 3, 1_499);
  const picked = pickPlaces(inTable, places).map(floatsOf);
  expect(picked).toEqual(asFloats.map((column) => Float32Array.from(places, (place) => column[place]!)));
});

function leafOf(tree: Tree, row: number): number {
  let node = 0;
  while (tree.feature[node]! >= 0) {
    const value = asFloats[tree.feature[node]!]![row]!;
    const goesLeft = Number.isNaN(value) ? tree.missingGoesLeft[node] === 1 : value < tree.threshold[node]!;
    node = goesLeft ? tree.left[node]! : tree.right[node]!;
  }
  return tree.threshold[node]!;
}

test("what trees say of rows beyond those that were learnt from is the same by bins as by numbers", () => {
  // The lowest and the highest are held out, so that their bins are of other values.
  const isHeldOut = (row: number): boolean => !(asFloats[0]![row]! > 60) || asFloats[0]![row]! > 440 || row % 9 === 0;
  const fitRows = rows.filter((row) => !isHeldOut(row));
  const heldOut = rows.filter(isHeldOut);
  // What is missing says much, so that trees part by it alone.
  const ofMissing = target.map((value, row) => value + (Number.isNaN(asFloats[1]![row]!) ? 20 : 0));
  const fit: TreesFit = {
    columns: inTable,
    target: ofMissing,
    loss: "squared",
    quantile: 0.5,
    outputs: 1,
    rowWeights: undefined,
    fitRows,
    validationRows: new Int32Array(0),
    rounds: 30,
    maxDepth: 6,
    learningRate: 0.3,
    earlyStoppingRounds: 5,
    minChildWeight: 1,
    lambda: 1,
    alpha: 0,
    gamma: 0,
    subsample: 1,
    colsampleByTree: 1,
    maxBins: 64,
    seed: 1,
  };
  const { trees } = fitBoostedTrees(fit, () => {});
  const bins = binColumns(inTable, fitRows, { maxBins: 64 });
  const hasLeastBin = trees.some((tree) =>
    tree.feature.some((feature, node) => feature >= 0 && tree.threshold[node] === bins.thresholds[feature]![0]),
  );
  expect(hasLeastBin).toBe(true);
  for (const tree of trees) {
    const margins = new Float64Array(rowCount);
    addLeaves(tree, bins, inTable, heldOut, margins);
    expect(heldOut.every((row) => margins[row] === leafOf(tree, row))).toBe(true);
  }
});
