import { dateParts } from "../../models/date-parts.ts";
import { toFeatureValue, widthOf } from "../../models/feature-schema.ts";
import type { DateFeature, ModelDocument, ModelFeature, TextFeature } from "../../models/model.ts";
import { secondsAsWritten } from "../../tables/date-form.ts";
import { missingValues } from "../../tables/missing.ts";
import { addDateParts } from "./date-parts-in-onnx.ts";
import type { GraphBuilder, Tensor } from "./onnx-graph.ts";
import { textCodes } from "./text-codes.ts";

/** What encodes columns: all of a kind at once, since a table may have thousands of them. */
type Encoded = Pick<ModelDocument, "features" | "missing" | "mode">;

/** Columns of features that stand side by side: [N, width] of 32-bit floats. */
interface Block {
  readonly name: string;
  readonly width: number;
  /** Where each column's features stand in it. */
  readonly places: ReadonlyMap<ModelFeature, readonly number[]>;
}

const inputs = {
  number: { type: "float", about: "A number; NaN where it is missing." },
  boolean: { type: "float", about: "1 or 0; NaN, or any other number, where it is missing." },
  date: {
    type: "double",
    about: "Seconds since 1970-01-01T00:00:00 by the clock that the table goes by; NaN where it is missing.",
  },
  text: { type: "string", about: "As the table spells it; empty where it is missing." },
} as const;

/**
 * Adds an input for each column of a model, and makes of them what `expandColumns` does.
 * @returns name of [N, features]: the model's own features in their order, of 32-bit floats
 */
export function addFeatures(graph: GraphBuilder, { features, missing = [], mode }: Encoded): string {
  for (const { column, kind } of features) graph.input(column, inputs[kind].type, inputs[kind].about);
  const ofKind = <Kind extends ModelFeature["kind"]>(kind: Kind): Extract<ModelFeature, { kind: Kind }>[] =>
    features.filter((feature): feature is Extract<ModelFeature, { kind: Kind }> => feature.kind === kind);
  const blocks = [
    addNumbers(graph, ofKind("number"), missing),
    addTruths(graph, ofKind("boolean")),
    addDates(graph, ofKind("date"), missing),
    addTexts(graph, ofKind("text"), missing),
  ].filter((block) => block !== undefined);
  const places = new Map<ModelFeature, number[]>();
  let start = 0;
  for (const block of blocks) {
    for (const [feature, within] of block.places)
      places.set(
        feature,
        within.map((place) => start + place),
      );
    start += block.width;
  }
  const all = concat(
    graph,
    blocks.map(({ name }) => name),
  );
  const order = features.flatMap((feature) => places.get(feature)!);
  const gathered = graph.constant(row("int64", order, [order.length]));
  // By this name tests ask for them.
  const name = graph.freeName("features");
  if (mode === "heavy") return graph.node("Gather", [all, gathered], { axis: { int: 1 } }, name);
  const inOrder = graph.node("Gather", [all, gathered], { axis: { int: 1 } });
  return replaced(graph, inOrder, graph.node("IsNaN", [inOrder]), fillsOf(features), name);
}

/** Means stand in for what is missing; a text has none. */
function fillsOf(features: readonly ModelFeature[]): Tensor {
  const fills = features.flatMap((feature) => {
    if (feature.kind === "text") return new Array<number>(widthOf(feature)).fill(0);
    return feature.kind === "date" ? feature.parts.map(({ mean }) => mean) : [feature.mean];
  });
  return row("float", fills);
}

function addNumbers(
  graph: GraphBuilder,
  features: readonly ModelFeature[],
  missing: readonly string[],
): Block | undefined {
  if (features.length === 0) return undefined;
  let name = withoutInfinite(graph, concat(graph, columnsOf(features)), "float");
  for (const value of new Set(missingValues({ missing }).map(toFeatureValue))) {
    if (Number.isNaN(value)) continue;
    name = replaced(graph, name, graph.node("Equal", [name, graph.constant(row("float", [value]))]), nothing("float"));
  }
  return oneEach(name, features);
}

function addTruths(graph: GraphBuilder, features: readonly ModelFeature[]): Block | undefined {
  if (features.length === 0) return undefined;
  const cells = concat(graph, columnsOf(features));
  const is = (value: number): string => graph.node("Equal", [cells, graph.constant(row("float", [value]))]);
  const isNone = graph.node("Not", [graph.node("Or", [is(0), is(1)])]);
  return oneEach(replaced(graph, cells, isNone, nothing("float")), features);
}

function addDates(
  graph: GraphBuilder,
  features: readonly DateFeature[],
  missing: readonly string[],
): Block | undefined {
  if (features.length === 0) return undefined;
  let seconds = withoutInfinite(graph, concat(graph, columnsOf(features)), "double");
  const moments = features.map((feature) => missingMoments(feature, missing));
  const most = Math.max(...moments.map(({ length }) => length));
  for (let at = 0; at < most; at++) {
    // No number is equal to NaN.
    const each = row(
      "double",
      moments.map((ofColumn) => ofColumn[at] ?? Number.NaN),
    );
    seconds = replaced(graph, seconds, graph.node("Equal", [seconds, graph.constant(each)]), nothing("double"));
  }
  const name = graph.node("Cast", [addDateParts(graph, seconds, features)], { to: { int: 1 } });
  const places = features.map((feature, column): [ModelFeature, number[]] => [
    feature,
    feature.parts.map(({ part }) => dateParts.indexOf(part) * features.length + column),
  ]);
  return { name, width: dateParts.length * features.length, places: new Map(places) };
}

/** Words for a missing value that are dates as the column has them. */
function missingMoments({ written }: DateFeature, missing: readonly string[]): number[] {
  return missing.flatMap((word) => secondsAsWritten(word, written) ?? []);
}

function addTexts(
  graph: GraphBuilder,
  features: readonly TextFeature[],
  missing: readonly string[],
): Block | undefined {
  if (features.length === 0) return undefined;
  const codes = features.map((feature) => {
    const { texts, codes: values, otherCode } = textCodes(feature, missing);
    return graph.node("LabelEncoder", [feature.column], {
      keys_strings: { texts },
      values_int64s: { ints: values },
      default_int64: { int: otherCode },
    });
  });
  const widths = features.map(widthOf);
  const sources = row(
    "int64",
    widths.flatMap((width, at) => new Array<number>(width).fill(at)),
  );
  const wanted = row(
    "int64",
    widths.flatMap((width) => Array.from({ length: width }, (_, place) => place + 1)),
  );
  const width = wanted.values.length;
  const spread = graph.node("Gather", [concat(graph, codes), graph.constant({ ...sources, dims: [width] })], {
    axis: { int: 1 },
  });
  const isIt = graph.node("Equal", [spread, graph.constant(wanted)]);
  const places = new Map<ModelFeature, number[]>();
  let start = 0;
  for (const feature of features) {
    places.set(
      feature,
      Array.from({ length: widthOf(feature) }, (_, place) => start + place),
    );
    start += widthOf(feature);
  }
  return { name: graph.node("Cast", [isIt], { to: { int: 1 } }), width, places };
}

function oneEach(name: string, features: readonly ModelFeature[]): Block {
  return { name, width: features.length, places: new Map(features.map((feature, place) => [feature, [place]])) };
}

const columnsOf = (features: readonly ModelFeature[]): string[] => features.map(({ column }) => column);

const concat = (graph: GraphBuilder, names: readonly string[]): string =>
  graph.node("Concat", names, { axis: { int: 1 } });

/** A constant for all rows, one number a column. */
const row = (
  type: Tensor["type"],
  values: readonly number[],
  dims: readonly number[] = [1, values.length],
): Tensor => ({ type, dims, values });

const nothing = (type: "float" | "double"): Tensor => row(type, [Number.NaN]);

const replaced = (graph: GraphBuilder, cells: string, isReplaced: string, by: Tensor, output?: string): string =>
  graph.node("Where", [isReplaced, graph.constant(by), cells], {}, output);

/** What no 32-bit float holds is as good as missing, as `toFeatureValue` has it. */
const withoutInfinite = (graph: GraphBuilder, cells: string, type: "float" | "double"): string =>
  replaced(graph, cells, graph.node("IsInf", [cells]), nothing(type));
