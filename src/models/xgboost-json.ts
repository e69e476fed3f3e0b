import type { BoostedTrees } from "./boosted-trees.ts";
import type { LinearWeights, Loss } from "./linear-problem.ts";
import type { XgboostModel, XgboostObjective, XgboostTree } from "./model.ts";
import type { Tree } from "./tree.ts";
import { POISSON_MAX_STEP, type TreeLoss } from "./tree-loss.ts";
import { addAllTrees } from "./walk-trees.ts";

// The format of 2.1: 2.x and 3.x both read it, while 2.x can't read the list of base scores that 3.1 brought.
const FORMAT_VERSION: [number, number, number] = [2, 1, 0];

/** The largest number of 32 bits. */
export const largestFloat32 = 2 ** 128 - 2 ** 104;

/**
 * The number to write for a 32-bit float. XGBoost refuses `1` where it wants a float ("Invalid cast, from Integer to
 * Number"), and JSON.stringify has no `1.0`: so a whole number is moved by less than 32 bits can tell.
 */
export function toXgboostFloat(value: number): number {
  const rounded = Math.fround(value);
  if (rounded === 0) return 1e-46;
  const short = Number(rounded.toPrecision(9));
  if (!Number.isInteger(short)) return short;
  // From 2^52 on nothing is left to move; serializeModelDocument writes those with an exponent.
  return Math.abs(rounded) < 2 ** 25 ? rounded * (1 + 2 ** -26) : rounded + 0.5;
}

/** A linear model in XGBoost's format. */
export function linearToXgboost(fitted: LinearWeights, loss: Loss, outputs: number): XgboostModel {
  const weights = [...fitted.weights, ...fitted.biases].map(toXgboostFloat);
  return wrap(
    { name: "gblinear", model: { boosted_rounds: 1, weights } },
    { loss, outputs },
    fitted.weights.length / outputs,
    0,
  );
}

/** What a model was made to minimise. */
export interface Minimised {
  readonly loss: TreeLoss;
  readonly outputs: number;
  /** Of the loss `quantile`. */
  readonly quantile?: number;
  /** Of the loss `logistic`: how much a row of the second class counts. Default 1. */
  readonly scalePosWeight?: number | undefined;
}

/** Boosted trees in XGBoost's format. */
export function treesToXgboost(fitted: BoostedTrees, minimised: Minimised, featureCount: number): XgboostModel {
  const { outputs } = minimised;
  const trees = fitted.trees.map((tree, id) => treeToXgboost(tree, id, featureCount));
  const rounds = trees.length / outputs;
  return wrap(
    {
      name: "gbtree",
      model: {
        gbtree_model_param: { num_parallel_tree: "1", num_trees: String(trees.length) },
        iteration_indptr: Array.from({ length: rounds + 1 }, (_, round) => round * outputs),
        tree_info: trees.map((_, id) => id % outputs),
        trees,
      },
    },
    minimised,
    featureCount,
    fitted.baseMargin,
  );
}

function treeToXgboost(tree: Tree, id: number, featureCount: number): XgboostTree {
  const count = tree.feature.length;
  return {
    base_weights: tree.weight.map(toXgboostFloat),
    categories: [],
    categories_nodes: [],
    categories_segments: [],
    categories_sizes: [],
    default_left: [...tree.missingGoesLeft],
    id,
    left_children: [...tree.left],
    loss_changes: tree.gain.map(toXgboostFloat),
    parents: [...tree.parent],
    right_children: [...tree.right],
    split_conditions: tree.threshold.map(toXgboostFloat),
    split_indices: tree.feature.map((feature) => Math.max(feature, 0)),
    split_type: new Array<number>(count).fill(0),
    sum_hessian: tree.hessian.map(toXgboostFloat),
    tree_param: {
      num_deleted: "0",
      num_feature: String(featureCount),
      num_nodes: String(count),
      size_leaf_vector: "1",
    },
  };
}

function wrap(
  booster: XgboostModel["learner"]["gradient_booster"],
  minimised: Minimised,
  featureCount: number,
  baseMargin: number,
): XgboostModel {
  const { loss, outputs } = minimised;
  const base = linkOf[loss](baseMargin);
  return {
    learner: {
      attributes: {},
      feature_names: [],
      feature_types: [],
      gradient_booster: booster,
      learner_model_param: {
        base_score: Number(Math.fround(base).toPrecision(9)).toExponential().toUpperCase(),
        boost_from_average: "1",
        num_class: loss === "softmax" ? String(outputs) : "0",
        num_feature: String(featureCount),
        num_target: "1",
      },
      objective: objectiveOf(minimised),
    },
    version: FORMAT_VERSION,
  };
}

const sigmoid = (margin: number): number => 1 / (1 + Math.exp(-margin));
const asItIs = (margin: number): number => margin;
/** What a single output says by its margin. */
const linkOf: Record<TreeLoss, (margin: number) => number> = {
  squared: asItIs,
  absolute: asItIs,
  quantile: asItIs,
  softmax: asItIs,
  logistic: sigmoid,
  poisson: Math.exp,
};

function objectiveOf({ loss, outputs, quantile, scalePosWeight = 1 }: Minimised): XgboostObjective {
  switch (loss) {
    case "softmax":
      return { name: "multi:softprob", softmax_multiclass_param: { num_class: String(outputs) } };
    case "poisson":
      return { name: "count:poisson", poisson_regression_param: { max_delta_step: String(POISSON_MAX_STEP) } };
    case "absolute":
      return { name: "reg:absoluteerror" };
    case "quantile":
      return { name: "reg:quantileerror", quantile_loss_param: { quantile_alpha: `[${quantile}]` } };
    default: {
      const name = loss === "logistic" ? "binary:logistic" : "reg:squarederror";
      return { name, reg_loss_param: { scale_pos_weight: String(scalePosWeight) } };
    }
  }
}

/** By the name of the objective: the margin of a base score. */
const marginOf: Record<XgboostObjective["name"], (score: number) => number> = {
  "reg:squarederror": asItIs,
  "reg:absoluteerror": asItIs,
  "reg:quantileerror": asItIs,
  "multi:softprob": asItIs,
  "binary:logistic": (score) => -Math.log(1 / Math.fround(score) - 1),
  "count:poisson": (score) => Math.log(Math.fround(score)),
};

/** How many numbers the model says of a row. */
export const outputsOf = ({ learner }: XgboostModel): number =>
  Math.max(1, Number(learner.learner_model_param.num_class));

/** Where each output starts, before it becomes a chance or a count. */
export function baseMarginOf({ learner }: XgboostModel): number {
  const score = Number(learner.learner_model_param.base_score.replace(/[[\]]/g, ""));
  return Math.fround(marginOf[learner.objective.name](score));
}

/**
 * The outputs of a model in XGBoost's format, in its own 32-bit arithmetic: values, chances of the second class, or
 * chances of class k of row r at `r * classes + k`.
 */
export function predictXgboost(model: XgboostModel, columns: readonly Float32Array[], rowCount: number): Float64Array {
  return answersOf(model, marginsOf(model, columns, rowCount));
}

/** The outputs before they become chances or counts, that of class k of row r at `r * classes + k`. */
export function marginsOf(model: XgboostModel, columns: readonly Float32Array[], rowCount: number): Float32Array {
  const { gradient_booster: booster, learner_model_param: parameters } = model.learner;
  const outputs = outputsOf(model);
  if (columns.length !== Number(parameters.num_feature)) {
    throw new Error(`The model wants ${parameters.num_feature} features, not ${columns.length}.`);
  }
  // Float32Array rounds every sum, as XGBoost does.
  const margins = new Float32Array(rowCount * outputs).fill(baseMarginOf(model));
  if (booster.name === "gblinear") {
    const weights = Float32Array.from(booster.model.weights);
    const biasesAt = columns.length * outputs;
    for (let at = 0; at < margins.length; at++) margins[at]! += weights[biasesAt + (at % outputs)]!;
    for (const [feature, column] of columns.entries()) {
      for (let row = 0; row < rowCount; row++) {
        const value = column[row]!;
        if (Number.isNaN(value)) continue;
        for (let k = 0; k < outputs; k++) {
          margins[row * outputs + k]! += Math.fround(value * weights[feature * outputs + k]!);
        }
      }
    }
  } else {
    addAllTrees(booster.model, columns, rowCount, { margins, outputs, sign: 1 });
  }
  return margins;
}

/** What the model says by such margins. */
export function answersOf(model: XgboostModel, margins: Float32Array | Float64Array): Float64Array {
  switch (model.learner.objective.name) {
    case "multi:softprob":
      return softmaxRows(margins, outputsOf(model));
    case "binary:logistic":
      return Float64Array.from(margins, sigmoid);
    case "count:poisson":
      return Float64Array.from(margins, Math.exp);
    default:
      return Float64Array.from(margins);
  }
}

function softmaxRows(margins: Float32Array | Float64Array, outputs: number): Float64Array {
  const probabilities = new Float64Array(margins.length);
  for (let from = 0; from < margins.length; from += outputs) {
    let highest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < outputs; k++) highest = Math.max(highest, margins[from + k]!);
    let sum = 0;
    for (let k = 0; k < outputs; k++) {
      probabilities[from + k] = Math.exp(margins[from + k]! - highest);
      sum += probabilities[from + k]!;
    }
    for (let k = 0; k < outputs; k++) probabilities[from + k]! /= sum;
  }
  return probabilities;
}
