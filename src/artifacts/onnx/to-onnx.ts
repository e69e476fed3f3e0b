import type { ModelDocument } from "../../models/model.ts";
import { namesOfModel } from "../../models/named-features.ts";
import { addMargins } from "./add-margins.ts";
import { addFeatures } from "./encode-columns.ts";
import { createGraph, type GraphBuilder } from "./onnx-graph.ts";

/** Goes up when the same model would give another file. */
export const onnxExportVersion = 1;

/**
 * A whole model as an ONNX file, which takes columns as the table has them and says what the service says (docs/models.md).
 * @param id of the model, which stands in the file
 */
export function toOnnx(document: ModelDocument, id: string): Uint8Array<ArrayBuffer> {
  const { features, classes, library, mode, model } = document;
  const graph = createGraph(features.map(({ column }) => column));
  // Before all others, whose names are nobody's business.
  const outputs = (classes === undefined ? ["value"] : ["label", "probabilities"]).map(graph.freeName);
  const margins = toDouble(graph, addMargins(graph, model, addFeatures(graph, document)));
  if (classes === undefined) addValue(graph, document, margins, outputs[0]!);
  else addClasses(graph, { ...document, classes }, margins, outputs);
  const { attributes, feature_names } = namesOfModel(document);
  return graph.finish({
    producer: library,
    graphName: "model",
    metadata: { ...attributes, modelId: id, mode, features: JSON.stringify(feature_names) },
  });
}

const toDouble = (graph: GraphBuilder, name: string): string => graph.node("Cast", [name], { to: { int: 11 } });

function addValue(graph: GraphBuilder, { model, target }: ModelDocument, margins: string, output: string): void {
  const isCount = model.learner.objective.name === "count:poisson";
  const value = isCount ? graph.node("Exp", [margins]) : margins;
  graph.node("Cast", [value], { to: { int: 1 } }, output);
  graph.output(output, "float", 1, `Of ${target}.`);
}

/** In 64 bits as the service has them, so that a class is said by the same rule. */
function addClasses(
  graph: GraphBuilder,
  { classes, decision }: ModelDocument & { readonly classes: readonly string[] },
  margins: string,
  [label, probabilities]: readonly string[],
): void {
  const chances =
    classes.length === 2 ? addBoth(graph, margins) : graph.node("Softmax", [margins], { axis: { int: 1 } });
  const scalar = (type: "int64" | "double", value: number): string =>
    graph.constant({ type, dims: [], values: [value] });
  let place: string;
  if (decision === undefined) place = graph.node("ArgMax", [chances], { axis: { int: 1 }, keepdims: { int: 0 } });
  else {
    const positive = classes.indexOf(decision.positiveClass);
    const chance = graph.node("Gather", [chances, scalar("int64", positive)], { axis: { int: 1 } });
    const isBelow = graph.node("Less", [chance, scalar("double", decision.threshold)]);
    place = graph.node("Where", [isBelow, scalar("int64", 1 - positive), scalar("int64", positive)]);
  }
  const labels = { keys_int64s: { ints: classes.map((_, k) => k) }, values_strings: { texts: classes } };
  graph.node("LabelEncoder", [place], labels, label);
  graph.node("Cast", [chances], { to: { int: 1 } }, probabilities);
  graph.output(label!, "string", undefined, "The class that is said.");
  graph.output(probabilities!, "float", classes.length, `Of ${JSON.stringify(classes)}, in this order.`);
}

/** The chance of the second class is the model's output. */
function addBoth(graph: GraphBuilder, margins: string): string {
  const second = graph.node("Sigmoid", [margins]);
  const first = graph.node("Sub", [graph.constant({ type: "double", dims: [], values: [1] }), second]);
  return graph.node("Concat", [first, second], { axis: { int: 1 } });
}
