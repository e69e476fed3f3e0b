import { contributionsOf, outputNames } from "./contributions.ts";
import { jsonBytesOf } from "./fair-share.ts";
import type { ModelDocument } from "./model.ts";

/** Why the model says what it says of a row: one output of it. */
export interface OutputExplanation {
  /** The target, the second of two classes, or one of more classes. */
  readonly output: string;
  /** What is said on average of the rows that were learnt from. */
  readonly bias: number;
  /** What each column adds to that. */
  readonly contributions: Record<string, number>;
  /** The sum of both: the target's value or its logarithm (counts), the log odds, or a class's score. */
  readonly margin: number;
}

/** The explanations of rows, by output. @param columns the model's own features */
export function explainRows(
  document: ModelDocument,
  columns: readonly Float32Array[],
  rowCount: number,
): OutputExplanation[][] {
  const { values, biases } = contributionsOf(document, columns, rowCount);
  const names = document.features.map(({ column }) => column);
  const outputs = outputNames(document.target, document.classes);
  return Array.from({ length: rowCount }, (_, row) =>
    outputs.map((output, k): OutputExplanation => {
      const from = (row * outputs.length + k) * names.length;
      const bias = biases[k]!;
      let margin = bias;
      for (let at = 0; at < names.length; at++) margin += values[from + at]!;
      // fromEntries, since an assignment to a column called "__proto__" would be lost.
      const contributions = Object.fromEntries(names.map((name, at) => [name, values[from + at]!]));
      return { output, bias, contributions, margin };
    }),
  );
}

/** What explanations of a model take, rather too much than too little. */
export interface ExplanationWork {
  /** CPU, in nanoseconds: once, and for each row. */
  readonly onceNs: number;
  readonly rowNs: number;
  /** Of the answer, for each row. */
  readonly rowBytes: number;
}

// Node 24 on a virtual core of 2 busy ones (docs/performance.md).
const perLeafNs = 1_200;
const perLeafAndRowNs = 60;
const perSplitToLeafAndRowNs = 20;
const perWeightAndRowNs = 5;
/** A number of JSON with its comma and colon; and the words around them. */
const numberBytes = 26;
const wordsBytes = 120;

/** Looks at each node of the model once. */
export function explanationWork({
  model,
  features,
  target,
  classes,
}: Pick<ModelDocument, "model" | "features" | "target" | "classes">): ExplanationWork {
  const { gradient_booster: booster } = model.learner;
  const outputs = outputNames(target, classes);
  const names = features.map(({ column }) => column);
  const ofNames = jsonBytesOf(names) + names.length * numberBytes;
  const rowBytes = jsonBytesOf(outputs) + outputs.length * (ofNames + wordsBytes);
  if (booster.name === "gblinear") {
    const rowNs = booster.model.weights.length * perWeightAndRowNs;
    return { onceNs: 0, rowNs, rowBytes };
  }
  let [onceNs, rowNs] = [0, 0];
  for (const { left_children, parents } of booster.model.trees) {
    const depths = new Int32Array(left_children.length);
    for (let node = 0; node < depths.length; node++) {
      // A parent stands before its children.
      if (node > 0) depths[node] = depths[parents[node]!]! + 1;
      if (left_children[node]! >= 0) continue;
      onceNs += perLeafNs;
      rowNs += perLeafAndRowNs + depths[node]! * perSplitToLeafAndRowNs;
    }
  }
  return { onceNs, rowNs, rowBytes };
}
