import type { XgboostLinearBooster, XgboostModel, XgboostTree, XgboostTreeBooster } from "../../models/model.ts";
import { baseMarginOf, outputsOf } from "../../models/xgboost-json.ts";
import type { Attribute, GraphBuilder } from "./onnx-graph.ts";

/** As many features are multiplied at once: what is held of a row does not grow with the table. */
const featuresAtOnce = 64;

/**
 * Adds what the model says before it becomes a chance or a count, in 32 bits as `marginsOf` has it.
 * @param features [N, features] of 32-bit floats
 * @returns name of [N, outputs] of 32-bit floats
 */
export function addMargins(graph: GraphBuilder, model: XgboostModel, features: string): string {
  const booster = model.learner.gradient_booster;
  return booster.name === "gblinear"
    ? addSums(graph, booster, model, features)
    : addTrees(graph, booster, model, features);
}

/**
 * One product after the other is added, each sum rounded: a `MatMul` adds in another order, and where large terms leave little
 * of each other it says other numbers than the service.
 */
function addSums(graph: GraphBuilder, booster: XgboostLinearBooster, model: XgboostModel, features: string): string {
  const outputs = outputsOf(model);
  const weights = Float32Array.from(booster.model.weights);
  const width = weights.length / outputs - 1;
  const base = baseMarginOf(model);
  const starts = weights.subarray(width * outputs).map((bias) => base + bias);
  const integers = (values: readonly number[], dims = [values.length]): string =>
    graph.constant({ type: "int64", dims, values });
  const [second, last, columns] = [integers([1], []), integers([2]), { axis: { int: 1 } }];
  let sums: string | undefined;
  for (let from = 0; from < width; from += featuresAtOnce) {
    const size = Math.min(featuresAtOnce, width - from);
    const floats = (values: Float32Array): string =>
      graph.constant({ type: "float", dims: [1, size, outputs], values });
    const wanted = integers(Array.from({ length: size }, (_, place) => from + place));
    const cells = graph.node("Unsqueeze", [graph.node("Gather", [features, wanted], columns), last]);
    const factors = floats(weights.subarray(from * outputs, (from + size) * outputs));
    const products = graph.node("Mul", [cells, factors]);
    // The first sum is of where outputs start and the first product.
    const terms =
      sums === undefined
        ? graph.node("Add", [products, floats(padded(starts, size * outputs))])
        : graph.node("Concat", [sums, products], columns);
    const running = graph.node("CumSum", [terms, second]);
    sums = graph.node("Gather", [running, integers([sums === undefined ? size - 1 : size])], columns);
  }
  return graph.node("Squeeze", [sums!, integers([1])]);
}

function padded(values: Float32Array, length: number): Float32Array {
  const all = new Float32Array(length);
  all.set(values);
  return all;
}

/** What is looked at of a tree. */
type Nodes = Pick<
  XgboostTree,
  "left_children" | "right_children" | "split_indices" | "split_conditions" | "default_left"
>;

function addTrees(graph: GraphBuilder, booster: XgboostTreeBooster, model: XgboostModel, features: string): string {
  const outputs = outputsOf(model);
  // Where an output starts is a tree of one leaf: `base_values` are added last, and 32-bit sums are others in another order.
  const start: Nodes = {
    left_children: [-1],
    right_children: [-1],
    split_indices: [0],
    split_conditions: [baseMarginOf(model)],
    default_left: [0],
  };
  const trees: Nodes[] = [...new Array<Nodes>(outputs).fill(start), ...booster.model.trees];
  const outputOf = [...new Array(outputs).keys(), ...booster.model.tree_info];
  return graph.node("TreeEnsembleRegressor", [features], {
    n_targets: { int: outputs },
    ...nodesOf(trees),
    ...leavesOf(trees, outputOf),
  });
}

/** In typed arrays: there may be millions, and a thread's heap has no room for more lists of them. */
function nodesOf(trees: readonly Nodes[]): Record<string, Attribute> {
  const count = trees.reduce((sum, { left_children }) => sum + left_children.length, 0);
  const integers = () => new Int32Array(count);
  const [treeIds, ids, features, below, above, missingIsBelow] = [
    integers(),
    integers(),
    integers(),
    integers(),
    integers(),
    integers(),
  ];
  const [borders, isLeaf] = [new Float32Array(count), new Uint8Array(count)];
  let at = 0;
  for (const [id, tree] of trees.entries())
    for (const [node, left] of tree.left_children.entries()) {
      treeIds[at] = id;
      ids[at] = node;
      if (left < 0) isLeaf[at] = 1;
      else {
        features[at] = tree.split_indices[node]!;
        borders[at] = tree.split_conditions[node]!;
        below[at] = left;
        above[at] = tree.right_children[node]!;
        missingIsBelow[at] = tree.default_left[node]!;
      }
      at += 1;
    }
  return {
    nodes_treeids: { ints: treeIds },
    nodes_nodeids: { ints: ids },
    nodes_featureids: { ints: features },
    nodes_modes: { texts: ["BRANCH_LT", "LEAF"], codes: isLeaf },
    nodes_values: { floats: borders },
    nodes_truenodeids: { ints: below },
    nodes_falsenodeids: { ints: above },
    nodes_missing_value_tracks_true: { ints: missingIsBelow },
  };
}

function leavesOf(trees: readonly Nodes[], outputOf: readonly number[]): Record<string, Attribute> {
  const count = trees.reduce((sum, { left_children }) => sum + left_children.filter((left) => left < 0).length, 0);
  const [treeIds, ids, outputs] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
  const values = new Float32Array(count);
  let at = 0;
  for (const [id, tree] of trees.entries())
    for (const [node, left] of tree.left_children.entries()) {
      if (left >= 0) continue;
      treeIds[at] = id;
      ids[at] = node;
      outputs[at] = outputOf[id]!;
      values[at] = tree.split_conditions[node]!;
      at += 1;
    }
  return {
    target_treeids: { ints: treeIds },
    target_nodeids: { ints: ids },
    target_ids: { ints: outputs },
    target_weights: { floats: values },
  };
}
