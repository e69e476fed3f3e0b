import type { DatePart } from "./date-parts.ts";
import type { Decision } from "./decide-class.ts";
import type { RunMetrics } from "./model-metrics.ts";
import type { TrainParameters } from "./train-request.ts";
import type { WrittenDates, WrittenNumbers } from "./training-table.ts";

/** What the model says: one of several classes, or a number. */
export type TrainingTask = "classification" | "regression";

/** `light`: a linear model. `heavy`: gradient-boosted trees. */
export type TrainingMode = "light" | "heavy";

/** What a run asks for: a model of a mode, or the best of both that a search finds. */
export type RunMode = TrainingMode | "auto";

/** A number column: one feature of the model. `mean` (of the training rows) stands in for missing cells in light models. */
export interface NumberFeature {
  readonly column: string;
  readonly kind: "number";
  readonly mean: number;
  /**
   * How its numbers were written in the table that it was learned from, which had cells that are none between them: a value
   * that is no number counts as missing. Absent where such a value is refused.
   */
  readonly written?: WrittenNumbers;
}

/**
 * A text column: one 0/1 feature for each category, in this order, and a last one for all other values where there are
 * `others`. Missing values are all zero, and so are unknown ones where there are none.
 */
export interface TextFeature {
  readonly column: string;
  readonly kind: "text";
  readonly categories: readonly string[];
  /** Of a column with more values than may be categories; absent where all are, as in models of trainers before 1.3.0. */
  readonly others?: OtherValues;
}

/** Values of the training rows that are no categories. */
export interface OtherValues {
  /** Told apart from those that were never seen; ascending by code unit. */
  readonly seen: readonly string[];
  /** How many there were beside `seen`, for which the file has no room: the rarest. */
  readonly more: number;
}

/** A column of dates or times: one feature for each part of them that varied in the training rows, in this order. */
export interface DateFeature {
  readonly column: string;
  readonly kind: "date";
  /** Seconds of Unix time from which `days` are counted. */
  readonly origin: number;
  /** Each with its mean, which stands in for a missing date in light models. */
  readonly parts: readonly { readonly part: DatePart; readonly mean: number }[];
  readonly written: WrittenDates;
  /** Whether the table had cells that are no dates between them: another one counts as missing then, and is refused else. */
  readonly hasStrays: boolean;
}

/** A column of truths: one feature of 1 and 0; `mean` as of a number. */
export interface BooleanFeature {
  readonly column: string;
  readonly kind: "boolean";
  readonly mean: number;
}

/** A source column of the model; the model's own feature order is these, with columns of text and dates expanded in place. */
export type ModelFeature = NumberFeature | TextFeature | DateFeature | BooleanFeature;

/** A column that was asked for and could not be used. */
export interface DroppedColumn {
  readonly name: string;
  readonly reason:
    | "empty"
    | "out_of_range"
    | "constant"
    | "constant_when_rounded"
    | "identifier"
    | "too_many_categories";
}

/** One regression tree, as XGBoost's `save_model` writes it. */
export interface XgboostTree {
  base_weights: number[];
  categories: number[];
  categories_nodes: number[];
  categories_segments: number[];
  categories_sizes: number[];
  default_left: number[];
  id: number;
  left_children: number[];
  loss_changes: number[];
  parents: number[];
  right_children: number[];
  split_conditions: number[];
  split_indices: number[];
  split_type: number[];
  sum_hessian: number[];
  tree_param: { num_deleted: string; num_feature: string; num_nodes: string; size_leaf_vector: string };
}

/** XGBoost's linear booster: weight of feature f for class k at `f * classes + k`, the biases last. */
export interface XgboostLinearBooster {
  name: "gblinear";
  model: { boosted_rounds: number; weights: number[] };
}

/** XGBoost's tree booster. */
export interface XgboostTreeBooster {
  name: "gbtree";
  model: {
    gbtree_model_param: { num_parallel_tree: string; num_trees: string };
    iteration_indptr: number[];
    tree_info: number[];
    trees: XgboostTree[];
  };
}

/** The objectives that models here are written with. */
export type XgboostObjective =
  | { name: "reg:squarederror" | "binary:logistic"; reg_loss_param: { scale_pos_weight: string } }
  | { name: "count:poisson"; poisson_regression_param: { max_delta_step: string } }
  | { name: "reg:absoluteerror" }
  | { name: "reg:quantileerror"; quantile_loss_param: { quantile_alpha: string } }
  | { name: "multi:softprob"; softmax_multiclass_param: { num_class: string } };

/** XGBoost's own model file: written alone into a `.json`, Python's `Booster.load_model` reads it. */
export interface XgboostModel {
  learner: {
    attributes: Record<string, string>;
    feature_names: string[];
    feature_types: string[];
    gradient_booster: XgboostLinearBooster | XgboostTreeBooster;
    learner_model_param: {
      base_score: string;
      boost_from_average: string;
      num_class: string;
      num_feature: string;
      num_target: string;
    };
    objective: XgboostObjective;
  };
  version: [number, number, number];
}

/** One of a light model's own features: a column, one category of a column of text or its other values, or one part of a column of dates. */
export interface Coefficient {
  readonly column: string;
  readonly category?: string;
  /** Whether it is the feature of all values that are no category. */
  readonly others?: true;
  readonly part?: DatePart;
  /** Of the rows that were learnt from, missing values as they count. */
  readonly mean: number;
  /** Of the same; times a weight it is the weight on the standardised column, by which features can be compared. */
  readonly deviation: number;
  /** By output: what 1 more of it adds. */
  readonly weights: readonly number[];
}

/** A light model in words: an output is its intercept and the sum of features times weights, all in the units of the data. */
export interface Coefficients {
  /**
   * What each output is: the target's value of a regression; of two classes the log odds of the second; of more the score of
   * each class, of which softmax makes chances.
   */
  readonly outputs: readonly string[];
  readonly intercepts: readonly number[];
  /** In the order of the model's own features. */
  readonly features: readonly Coefficient[];
}

/** A model and all that is needed to use it; plain JSON. */
export interface ModelDocument {
  readonly format: "mlops-backend/model";
  readonly version: 1;
  readonly library: { readonly name: string; readonly version: string };
  readonly mode: TrainingMode;
  readonly task: TrainingTask;
  readonly target: string;
  /** In the order of the model's outputs; only for classification. */
  readonly classes?: readonly string[];
  /** How one of two classes is said, where a threshold was asked for; else it is the more likely one. */
  readonly decision?: Decision;
  readonly features: readonly ModelFeature[];
  readonly droppedColumns: readonly DroppedColumn[];
  /** Values that count as missing in every column, beside those that always do; absent where there are none. */
  readonly missing?: readonly string[];
  readonly metrics: RunMetrics;
  /** By which it was learnt, of a model that a search has found: a run of its mode with them gives the same one. */
  readonly parameters?: TrainParameters;
  /** Of light models; absent from those of trainers before 1.2.0. The model has the same numbers, without their names. */
  readonly coefficients?: Coefficients;
  readonly model: XgboostModel;
}

/** Who wrote the model; the number goes up when the same data would give another model. */
export const trainerLibrary = { name: "mlops-backend-trainers", version: "1.6.0" } as const;

/** The bytes of a model file. */
export function serializeModelDocument(document: ModelDocument): string {
  return JSON.stringify(document, (_key, value: unknown) => {
    // From 2^51 on every float of 64 bits is whole, and would be written as an integer, which XGBoost refuses.
    if (typeof value !== "number" || !Number.isInteger(value) || Math.abs(value) < 2 ** 51) return value;
    return rawJson(value.toExponential());
  });
}

// In Node since 22, in TypeScript's library not yet.
function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}
