import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toOnnx } from "../../src/artifacts/onnx/to-onnx.ts";
import { readOnnx } from "../support/read-onnx.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

/** Of each kind a column, two of them called as outputs are. */
const lines = Array.from({ length: 240 }, (_, row) => [
  row % 17 === 0 ? "-99" : row % 17,
  `city ${row % 3}`,
  new Date(Date.UTC(2024, 0, 1 + row)).toISOString().slice(0, 10),
  row % 4 === 0 ? "yes" : "no",
  row % 5,
  (row % 17) + (row % 5) > 9 ? "dear" : "cheap",
]);
const csv = [["size", "label", "day", "is open", "value", "price"], ...lines]
  .map((cells) => cells.join(","))
  .join("\n");
const inputs = [
  ["size", "float"],
  ["label", "string"],
  ["day", "double"],
  ["is open", "float"],
  ["value", "float"],
];

async function trained(run: Record<string, unknown>, target = "price"): Promise<{ id: string; path: string }> {
  const { json: dataset } = await service.upload(csv, { target, missing: "-99", name: crypto.randomUUID() });
  const { json } = await service.train(dataset.id, run);
  expect(json).toMatchObject({ status: "succeeded" });
  return { id: json.artifactId, path: `/artifacts/${json.artifactId}/content?format=onnx` };
}

async function download(path: string, init: RequestInit = {}): Promise<{ answer: Response; bytes: Uint8Array }> {
  const answer = await fetch(`${service.url}/api/ml/v1${path}`, init);
  return { answer, bytes: new Uint8Array(await answer.arrayBuffer()) };
}

test.each(["light", "heavy"])(
  "a %s model is a whole ONNX file, which takes columns as the table has them",
  async (mode) => {
    const parameters = { threshold: 0.3, positiveClass: "dear" };
    const { id, path } = await trained({ task: "classification", mode, parameters });
    const { answer, bytes } = await download(path);
    expect(answer.headers.get("content-type")).toBe("application/octet-stream");
    expect(answer.headers.get("content-disposition")).toBe(`attachment; filename=${id}.onnx`);
    expect(answer.headers.get("content-length")).toBe(String(bytes.length));
    const { json: document } = await service.call("GET", `/artifacts/${id}/content`);
    // What tests/e2e asks onnxruntime about.
    expect(Buffer.compare(bytes, toOnnx(document, id))).toBe(0);
    // The answer is whole before its file is gone.
    await eventually(async () => (await readdir(join(service.dataDir, "files", "tmp"))).length === 0);
    // Node warns there of too many that wait for the end of an answer.
    expect(service.errorLines).toEqual([]);
    const model = readOnnx(bytes);
    expect(model).toMatchObject({
      irVersion: 8,
      producer: [document.library.name, document.library.version],
      opsets: { "": 17, "ai.onnx.ml": 3 },
      inputs,
      // A name of a column is not one of an output as well.
      outputs: [
        ["label (2)", "string"],
        ["probabilities", "float"],
      ],
    });
    expect(model.operators.has("TreeEnsembleRegressor")).toBe(mode === "heavy");
    const { metadata } = model;
    expect(metadata).toMatchObject({ modelId: id, mode, task: "classification", target: "price" });
    expect(metadata.library).toBe(`${document.library.name} ${document.library.version}`);
    expect(JSON.parse(metadata.classes)).toEqual(["cheap", "dear"]);
    expect(JSON.parse(metadata.decision)).toEqual({ positiveClass: "dear", threshold: 0.3 });
    expect(JSON.parse(metadata.missing)).toEqual(["-99"]);
    expect(JSON.parse(metadata.columns).map(({ column }: { column: string }) => column)).toEqual(
      inputs.map(([name]) => name),
    );
    expect(JSON.parse(metadata.features)).toHaveLength(Number(document.model.learner.learner_model_param.num_feature));
  },
);

test("a model of numbers says a value", async () => {
  const { path } = await trained({ task: "regression", mode: "heavy" }, "size");
  expect(readOnnx((await download(path)).bytes).outputs).toEqual([["value (2)", "float"]]);
});

test("it is told by a tag of its own, and HEAD tells of the file", async () => {
  const { id, path } = await trained({ task: "classification", mode: "light" });
  const { answer, bytes } = await download(path);
  const etag = answer.headers.get("etag")!;
  for (const format of ["document", "xgboost"]) {
    const other = await service.call("GET", `/artifacts/${id}/content?format=${format}`);
    expect(other.headers.get("etag")).not.toBe(etag);
  }
  expect((await download(path, { headers: { "if-none-match": etag } })).answer.status).toBe(304);
  const head = await download(path, { method: "HEAD" });
  expect(head.answer.headers.get("content-length")).toBe(String(bytes.length));
  expect(head.answer.headers.get("etag")).toBe(etag);
  expect(Buffer.compare((await download(path)).bytes, bytes)).toBe(0);
});
