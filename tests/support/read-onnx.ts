import protobuf from "protobufjs";

/** Of onnx.proto (IR 8), as far as tests look. */
const definition = `
syntax = "proto3";
message ModelProto {
  int64 ir_version = 1; string producer_name = 2; string producer_version = 3; GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8; repeated StringStringEntryProto metadata_props = 14;
}
message OperatorSetIdProto { string domain = 1; int64 version = 2; }
message StringStringEntryProto { string key = 1; string value = 2; }
message GraphProto { repeated NodeProto node = 1; string name = 2; repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12; }
message NodeProto { repeated string input = 1; repeated string output = 2; string op_type = 4; string domain = 7; }
message ValueInfoProto { string name = 1; TypeProto type = 2; string doc_string = 3; }
message TypeProto { Tensor tensor_type = 1; }
message Tensor { int32 elem_type = 1; }
`;
const modelType = protobuf.parse(definition).root.lookupType("ModelProto");
const typeNames: Readonly<Record<number, string>> = { 1: "float", 8: "string", 11: "double" };

interface Value {
  readonly name: string;
  readonly type: { readonly tensorType: { readonly elemType: number } };
}

/** What an ONNX file says of itself, read by another's reader. */
export function readOnnx(bytes: Uint8Array) {
  // biome-ignore lint/suspicious/noExplicitAny: as the definition above has it
  const model: any = modelType.toObject(modelType.decode(bytes), { longs: Number, defaults: true });
  const named = (values: Value[]) => values.map(({ name, type }) => [name, typeNames[type.tensorType.elemType]]);
  return {
    irVersion: model.irVersion,
    producer: [model.producerName, model.producerVersion],
    opsets: Object.fromEntries(model.opsetImport.map((each: Record<string, unknown>) => [each.domain, each.version])),
    inputs: named(model.graph.input),
    outputs: named(model.graph.output),
    operators: new Set<string>(model.graph.node.map((node: { opType: string }) => node.opType)),
    metadata: Object.fromEntries(model.metadataProps.map(({ key, value }: Record<string, string>) => [key, value])),
  };
}
