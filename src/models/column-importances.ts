import { contributionsOf, type ExplainedModel } from "./contributions.ts";
import { explanationWork } from "./explain-rows.ts";
import { type FeatureColumn, floatsAt } from "./feature-column.ts";
import { expandedSources } from "./feature-schema.ts";
import type { ModelDocument, ModelFeature, XgboostModel } from "./model.ts";
import type { ColumnImportances } from "./model-metrics.ts";
import { leastChance } from "./rated-rows.ts";
import { seededRandom } from "./split-rows.ts";
import { addTrees, setTreeCells, treeRowsOf } from "./walk-trees.ts";
import { answersOf, marginsOf, outputsOf } from "./xgboost-json.ts";

/** What is measured: a model on held-out rows. */
export interface MeasuredColumns
  extends Pick<ModelDocument, "features" | "model" | "coefficients" | "target" | "classes"> {
  /** The model's own features of these rows. */
  readonly columns: readonly FeatureColumn[];
  /** What they really are: numbers, or numbers of classes. */
  readonly actual: ArrayLike<number>;
  /** What splits or weights say of each column, the largest first. */
  readonly gains: Readonly<Record<string, number>>;
}

/** The rows of these that are looked at. */
type PickedRows = MeasuredColumns & { readonly columns: readonly Float32Array[] };

/** More rows tell nearly the same, and fewer next to nothing. */
const mostRows = 1_000;
const leastRows = 20;
/** CPU that all of it may take where there are more rows than the least, in nanoseconds. */
const budgetNs = 5e8;
/** Of SHAP values, which are 8 bytes each. */
const mostValues = 2_000_000;
/** What it takes to ask a tree for a row; and a linear model, for each weight. */
const perTreeAndRowNs = 60;
const perWeightAndRowNs = 10;
/** Shuffled again and again until so many rows were, three times at least. */
const wantedShuffled = 1_000;
const leastShuffles = 3;
const mostShuffles = 10;

/**
 * How much each column counts on the rows: how much worse the model gets when the column's values are shuffled among them, and
 * the mean size of what it adds to an answer. Of some of the rows, where there are many or the model is large.
 * @param seed of the rows, and of how they are shuffled: the same gives the same
 * @param share of the rows and of the time that all of it may take, where more models than one are measured
 */
export function columnImportances(measured: MeasuredColumns, seed: number, share = 1): ColumnImportances {
  const { features, gains, actual } = measured;
  const random = seededRandom(seed);
  const places = pickPlaces(actual.length, rowsToTake(measured, share), random);
  const picked: PickedRows = {
    ...measured,
    columns: measured.columns.map((column) => floatsAt(column, places)),
    actual: Float64Array.from(places, (place) => actual[place]!),
  };
  const sizes = meanSizes(picked, places.length);
  const { loss, growth } = lossGrowth(picked, random);
  const at = new Map(features.map(({ column }, source) => [column, source]));
  return {
    rows: places.length,
    loss,
    columns: Object.entries(gains).map(([column, gain]) => ({
      column,
      gain: short(gain),
      permutation: short(growth[at.get(column)!]!),
      meanAbsShap: short(sizes[at.get(column)!]!),
    })),
  };
}

/**
 * What folds say together of each column of a model: the means over all rows that were looked at. A column that was of no use
 * to a fold's model counts as 0 there.
 * @param gains of the model that is kept, which says of its columns what splits gained
 */
export function joinImportances(
  folds: readonly ColumnImportances[],
  gains: Readonly<Record<string, number>>,
): ColumnImportances {
  const rows = folds.reduce((sum, fold) => sum + fold.rows, 0);
  const sums = new Map(Object.keys(gains).map((column) => [column, { permutation: 0, meanAbsShap: 0 }]));
  for (const fold of folds) {
    for (const { column, permutation, meanAbsShap } of fold.columns) {
      const sum = sums.get(column);
      if (sum === undefined) continue;
      sum.permutation += (permutation * fold.rows) / rows;
      sum.meanAbsShap += (meanAbsShap * fold.rows) / rows;
    }
  }
  const columns = [...sums].map(([column, sum]) => ({
    column,
    gain: short(gains[column]!),
    permutation: short(sum.permutation),
    meanAbsShap: short(sum.meanAbsShap),
  }));
  return { rows, loss: folds[0]!.loss, columns };
}

const short = (value: number): number => Number(value.toPrecision(6));

function rowsToTake({ model, features, target, classes, columns }: MeasuredColumns, share: number): number {
  const { rowNs } = explanationWork({ model, features, target, classes });
  const { gradient_booster: booster } = model.learner;
  const asked =
    booster.name === "gbtree"
      ? treesBySource(model, features).reduce((sum, trees) => sum + trees.length, 0) * perTreeAndRowNs
      : columns.length * outputsOf(model) * perWeightAndRowNs;
  const byTime = Math.floor((budgetNs * share) / (rowNs + leastShuffles * asked));
  const byValues = Math.floor(mostValues / (features.length * outputsOf(model)));
  return Math.max(Math.ceil(leastRows * share), Math.min(Math.ceil(mostRows * share), byTime, byValues));
}

/** Evenly among all, in their order. */
function pickPlaces(rowCount: number, wanted: number, random: () => number): Int32Array {
  if (rowCount <= wanted) return Int32Array.from({ length: rowCount }, (_, place) => place);
  return Int32Array.from({ length: wanted }, (_, at) => Math.floor(((at + random()) * rowCount) / wanted));
}

/** By source column: the mean of |SHAP value|, of more classes summed over them. */
function meanSizes({ columns, ...explained }: PickedRows, rowCount: number): Float64Array {
  const width = explained.features.length;
  const sums = new Float64Array(width);
  const { values } = contributionsOf(explained satisfies ExplainedModel, columns, rowCount);
  for (const [at, value] of values.entries()) sums[at % width]! += Math.abs(value);
  return sums.map((sum) => sum / rowCount);
}

function featuresBySource(features: readonly ModelFeature[]): number[][] {
  const bySource = features.map((): number[] => []);
  for (const [feature, source] of expandedSources(features).entries()) bySource[source]!.push(feature);
  return bySource;
}

/** By source column: the places of the trees that ask for it. */
function treesBySource({ learner }: XgboostModel, features: readonly ModelFeature[]): number[][] {
  const bySource = features.map((): number[] => []);
  if (learner.gradient_booster.name !== "gbtree") return bySource;
  const sources = expandedSources(features);
  for (const [place, { left_children, split_indices }] of learner.gradient_booster.model.trees.entries()) {
    const splits = split_indices.filter((_, node) => left_children[node]! >= 0);
    for (const source of new Set(splits.map((feature) => sources[feature]!))) bySource[source]!.push(place);
  }
  return bySource;
}

/** By source column: how much the loss grows when it is shuffled. */
function lossGrowth(measured: PickedRows, random: () => number) {
  const { model, features, columns, actual } = measured;
  const { name: loss, of: lossOf } = lossFor(measured);
  const margins = marginsOf(model, columns, actual.length);
  const change = changerOf(measured);
  const shuffles = Math.min(mostShuffles, Math.max(leastShuffles, Math.ceil(wantedShuffled / actual.length)));
  const orders = Array.from({ length: shuffles }, () => shuffled(actual.length, random));
  const lossBy = (source: number, order: Int32Array): number => {
    const changed = Float64Array.from(margins);
    change(source, order, changed);
    return lossOf(answersOf(model, changed));
  };
  const before = lossOf(answersOf(model, Float64Array.from(margins)));
  const growth = features.map(
    (_, source) => orders.reduce((sum, order) => sum + lossBy(source, order) - before, 0) / shuffles,
  );
  return { loss, growth };
}

function shuffled(count: number, random: () => number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, place) => place);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

type Change = (source: number, order: Int32Array, margins: Float64Array) => void;

/** Makes margins those of rows that have another row's value in one column each. */
function changerOf({ model, features, columns, actual }: PickedRows): Change {
  const { gradient_booster: booster } = model.learner;
  const outputs = outputsOf(model);
  const featuresOf = featuresBySource(features);
  if (booster.name === "gblinear") {
    const { weights } = booster.model;
    return (source, order, margins) => {
      for (const feature of featuresOf[source]!) {
        const column = columns[feature]!;
        for (let row = 0; row < order.length; row++) {
          const distance = column[order[row]!]! - column[row]!;
          if (distance === 0) continue;
          for (let k = 0; k < outputs; k++) margins[row * outputs + k]! += distance * weights[feature * outputs + k]!;
        }
      }
    };
  }
  const treesOf = treesBySource(model, features);
  const { model: trees } = booster;
  const rows = treeRowsOf(trees, columns, actual.length);
  return (source, order, margins) => {
    const own = featuresOf[source]!;
    const asking = treesOf[source]!;
    addTrees(trees, asking, rows, { margins, outputs, sign: -1 });
    for (const feature of own) setTreeCells(rows, trees, feature, (row) => columns[feature]![order[row]!]!);
    addTrees(trees, asking, rows, { margins, outputs, sign: 1 });
    for (const feature of own) setTreeCells(rows, trees, feature, (row) => columns[feature]![row]!);
  };
}

type MeanLoss = (answers: Float64Array) => number;

/** What the model was made to make small, in the target's unit. */
function lossFor({ model, classes, actual }: MeasuredColumns): { name: ColumnImportances["loss"]; of: MeanLoss } {
  const mean = (of: (row: number) => number): number => {
    let sum = 0;
    for (let row = 0; row < actual.length; row++) sum += of(row);
    return sum / actual.length;
  };
  if (classes !== undefined) {
    const chanceOf = (answers: Float64Array, row: number): number => {
      if (classes.length > 2) return answers[row * classes.length + actual[row]!]!;
      return actual[row] === 1 ? answers[row]! : 1 - answers[row]!;
    };
    return {
      name: "logLoss",
      of: (answers) => mean((row) => -Math.log(Math.max(chanceOf(answers, row), leastChance))),
    };
  }
  const { objective } = model.learner;
  if (objective.name === "reg:absoluteerror")
    return { name: "mae", of: (answers) => mean((row) => Math.abs(answers[row]! - actual[row]!)) };
  if (objective.name !== "reg:quantileerror")
    return { name: "rmse", of: (answers) => Math.sqrt(mean((row) => (answers[row]! - actual[row]!) ** 2)) };
  const quantile = Number(objective.quantile_loss_param.quantile_alpha.replace(/[[\]]/g, ""));
  return {
    name: "quantileLoss",
    of: (answers) =>
      mean((row) => {
        const tooLittle = actual[row]! - answers[row]!;
        return tooLittle > 0 ? quantile * tooLittle : (quantile - 1) * tooLittle;
      }),
  };
}

/** Importances of the model's own features as shares of their columns, summing to 1, the largest first. */
export function sharesByColumn(features: readonly ModelFeature[], importances: Float64Array): Record<string, number> {
  const sums = features.map((feature) => ({ name: feature.column, sum: 0 }));
  let total = 0;
  for (const [at, source] of expandedSources(features).entries()) {
    sums[source]!.sum += importances[at]!;
    total += importances[at]!;
  }
  sums.sort((a, b) => b.sum - a.sum);
  // fromEntries, since an assignment to a column called "__proto__" would be lost.
  return Object.fromEntries(sums.map(({ name, sum }) => [name, total > 0 ? sum / total : 0]));
}
