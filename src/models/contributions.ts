import { expandedSources } from "./feature-schema.ts";
import type { ModelDocument } from "./model.ts";
import { addTreeContributions } from "./tree-shap.ts";
import { baseMarginOf, outputsOf } from "./xgboost-json.ts";

/** What can be explained: a model, and what its features are. */
export type ExplainedModel = Pick<ModelDocument, "features" | "model" | "coefficients">;

/** What each column adds to the outputs of rows, before they become chances or counts. */
export interface Contributions {
  /** Of output k of row r, column c stands at `(r * outputs + k) * columns + c`. */
  readonly values: Float64Array;
  /** By output: where it starts. Together with a row's values it is the output. */
  readonly biases: Float64Array;
}

/**
 * SHAP values by column of the table: the sums of those of its features. Of trees they are XGBoost's `pred_contribs`. Of a
 * linear model a feature adds its weight times its distance from the mean of the rows that were learnt from, so that both
 * modes start from what is said on average; XGBoost's start from the intercept, and count from 0.
 * @param columns the model's own features
 * @throws Error of a light model without the means of its features, from before 1.2.0
 */
export function contributionsOf(
  explained: ExplainedModel,
  columns: readonly Float32Array[],
  rowCount: number,
): Contributions {
  const { features, model, coefficients } = explained;
  const { gradient_booster: booster } = model.learner;
  const outputs = outputsOf(model);
  const slots = expandedSources(features);
  const biases = new Float64Array(outputs).fill(baseMarginOf(model));
  const values = new Float64Array(rowCount * outputs * features.length);
  const stride = outputs * features.length;
  if (booster.name === "gbtree") {
    for (const [id, tree] of booster.model.trees.entries()) {
      const output = booster.model.tree_info[id]!;
      const into = { into: values, stride, at: output * features.length, slots };
      biases[output]! += addTreeContributions(tree, columns, rowCount, into);
    }
    return { values, biases };
  }
  if (coefficients === undefined) throw new Error("The model has no means of its features.");
  const weights = Float32Array.from(booster.model.weights);
  for (let k = 0; k < outputs; k++) biases[k]! += weights[columns.length * outputs + k]!;
  for (const [feature, column] of columns.entries()) {
    const { mean } = coefficients.features[feature]!;
    for (let k = 0; k < outputs; k++) {
      const weight = weights[feature * outputs + k]!;
      const at = k * features.length + slots[feature]!;
      biases[k]! += weight * mean;
      for (let row = 0; row < rowCount; row++) values[row * stride + at]! += weight * (column[row]! - mean);
    }
  }
  return { values, biases };
}

/** Whether there is all that an explanation needs. */
export const isExplainable = ({ model, coefficients }: ExplainedModel): boolean =>
  model.learner.gradient_booster.name === "gbtree" || coefficients !== undefined;

/** What the outputs are of: of a regression the target, of two classes the second, of more each of them. */
export function outputNames(target: string, classes: readonly string[] | undefined): readonly string[] {
  if (classes === undefined) return [target];
  return classes.length === 2 ? classes.slice(1) : classes;
}
