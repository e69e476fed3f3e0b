import {
  bytesField,
  type Fields,
  floatsField,
  integerField,
  integersField,
  joined,
  littleEndian,
  messageField,
  textField,
  textsField,
} from "./wire-format.ts";

// Numbers of fields and types are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).

/** Types of tensors that are needed here, by ONNX's names. */
export const elementTypes = { float: 1, int64: 7, string: 8, double: 11 } as const;
export type ElementType = keyof typeof elementTypes;

/** IR 8 and opset 17 are of ONNX 1.12 (2022), and know all that is needed. */
const irVersion = 8;
const opsets = { "": 17, "ai.onnx.ml": 3 } as const;

/** An attribute of a node: whole numbers are from 0 on. */
export type Attribute =
  | { readonly int: number }
  | { readonly text: string }
  | { readonly floats: ArrayLike<number> }
  | { readonly ints: ArrayLike<number> }
  | { readonly texts: readonly string[] }
  /** For each code the text at that place: of millions of nodes. */
  | { readonly texts: readonly string[]; readonly codes: Uint8Array };

/** A constant. */
export interface Tensor {
  readonly type: Exclude<ElementType, "string">;
  readonly dims: readonly number[];
  readonly values: ArrayLike<number>;
}

/** A graph that is being made. Whatever is asked for a name answers the name that it got: each may stand once. */
export interface GraphBuilder {
  /** A column of N rows, by this very name. */
  input(name: string, type: ElementType, about: string): void;
  /** A free name, this one where nothing else has it. */
  freeName(wanted: string): string;
  constant(tensor: Tensor): string;
  /** @param output a free name; else it gets one */
  node(
    operator: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, Attribute>>,
    output?: string,
  ): string;
  /** Of N rows, each with so many columns; without them a list. */
  output(name: string, type: ElementType, columns: number | undefined, about: string): void;
  /** The file. */
  finish(about: ModelFacts): Uint8Array<ArrayBuffer>;
}

/** What a file says of itself. */
export interface ModelFacts {
  readonly producer: { readonly name: string; readonly version: string };
  readonly graphName: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Operators of trees and categories, in a set of their own. */
const machineLearning = new Set(["LabelEncoder", "TreeEnsembleRegressor"]);

/** An empty graph. @param reserved names that others must not get: those of its inputs */
export function createGraph(reserved: readonly string[]): GraphBuilder {
  const taken = new Set(reserved);
  const [nodes, initializers, inputs, outputs]: Uint8Array[][] = [[], [], [], []];
  const freeName = (wanted: string): string => {
    let name = wanted;
    for (let number = 2; taken.has(name); number++) name = `${wanted} (${number})`;
    taken.add(name);
    return name;
  };
  return {
    freeName,
    input: (name, type, about) => void inputs!.push(...messageField(11, valueInfo(name, type, 1, about))),
    output: (name, type, columns, about) =>
      void outputs!.push(...messageField(12, valueInfo(name, type, columns, about))),
    constant(tensor) {
      const name = freeName("constant");
      initializers!.push(...messageField(5, [...tensorFields(tensor), ...textField(8, name)]));
      return name;
    },
    node(operator, from, attributes = {}, output = freeName(operator)) {
      const domain = machineLearning.has(operator) ? textField(7, "ai.onnx.ml") : [];
      nodes!.push(
        ...messageField(1, [
          ...from.flatMap((name) => textField(1, name)),
          ...textField(2, output),
          ...textField(3, output),
          ...textField(4, operator),
          ...Object.entries(attributes).flatMap(([name, value]) => attributeField(name, value)),
          ...domain,
        ]),
      );
      return output;
    },
    finish: ({ producer, graphName, metadata }) =>
      joined([
        ...integerField(1, irVersion),
        ...textField(2, producer.name),
        ...textField(3, producer.version),
        ...messageField(7, [...nodes!, ...textField(2, graphName), ...initializers!, ...inputs!, ...outputs!]),
        ...Object.entries(opsets).flatMap(([domain, version]) =>
          messageField(8, [...textField(1, domain), ...integerField(2, version)]),
        ),
        ...Object.entries(metadata).flatMap(([key, value]) =>
          messageField(14, [...textField(1, key), ...textField(2, value)]),
        ),
      ]),
  };
}

function valueInfo(name: string, type: ElementType, columns: number | undefined, about: string): Fields {
  const rows = messageField(1, textField(2, "N"));
  const shape = columns === undefined ? rows : [...rows, ...messageField(1, integerField(1, columns))];
  const tensor = messageField(1, [...integerField(1, elementTypes[type]), ...messageField(2, shape)]);
  return [...textField(1, name), ...messageField(2, tensor), ...textField(3, about)];
}

function tensorFields({ type, dims, values }: Tensor): Fields {
  const head = [...integersField(1, dims), ...integerField(2, elementTypes[type])];
  if (type === "int64") return [...head, ...integersField(7, values)];
  return [...head, ...bytesField(9, littleEndian(values, type === "float" ? 4 : 8))];
}

function attributeField(name: string, attribute: Attribute): Fields {
  const [type, value] = typedValue(attribute);
  return messageField(5, [...textField(1, name), ...value, ...integerField(20, type)]);
}

/** By the number of its type. */
function typedValue(attribute: Attribute): [number, Fields] {
  if ("int" in attribute) return [2, integerField(3, attribute.int)];
  if ("text" in attribute) return [3, textField(4, attribute.text)];
  if ("floats" in attribute) return [6, floatsField(7, attribute.floats)];
  if ("ints" in attribute) return [7, integersField(8, attribute.ints)];
  if ("codes" in attribute) return [8, textsField(9, attribute.texts, attribute.codes)];
  return [8, attribute.texts.flatMap((text) => textField(9, text))];
}
