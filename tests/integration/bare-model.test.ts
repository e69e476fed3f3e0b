import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningService, startService } from "../support/service.ts";

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

/** Cells that look like the file's own parts, names that XGBoost does not take, and one that another feature has too. */
const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
const header = ["size", "colour=red", "colour", "a [b] < c", "day"];
const lines = Array.from({ length: 300 }, (_, row) => [
  row % 17 === 0 ? "" : String(row % 17),
  String(row % 5),
  ["red", ',"metrics":{', '"model":{"learner":{"attributes":{},"feature_names":[],"feature_types":[],'][row % 3]!,
  `city ${row % 2 === 0 ? row % 3 : row % 171}`,
  new Date(Date.UTC(2024, 0, 1 + row)).toISOString().slice(0, 10),
  String((row % 17) + (row % 5)),
]);
const csv = [[...header, "price"], ...lines].map((cells) => cells.map(quoted).join(",")).join("\n");

async function trained(mode: string): Promise<string> {
  const { json: dataset } = await service.upload(csv, { target: "price", name: crypto.randomUUID() });
  const { json: run } = await service.train(dataset.id, { task: "regression", mode });
  expect(run).toMatchObject({ status: "succeeded" });
  return `/artifacts/${run.artifactId}/content`;
}

test.each(["light", "heavy"])("format=xgboost gives the XGBoost model of a %s file alone, with names", async (mode) => {
  const path = await trained(mode);
  const { json: file } = await service.call("GET", path);
  const bare = await service.call("GET", `${path}?format=xgboost`);
  expect(bare.headers.get("content-length")).toBe(String(Buffer.byteLength(bare.text)));
  expect(bare.headers.get("content-disposition")).toContain(".xgboost.json");
  const { attributes, feature_names: names, feature_types: types, ...learner } = bare.json.learner;
  // All but the names is as the file has it, byte for byte: XGBoost tells 1 from 1e0.
  const { attributes: _, feature_names: _names, feature_types: _types, ...without } = file.model.learner;
  expect({ ...bare.json, learner }).toEqual({ ...file.model, learner: without });
  const tail = bare.text.slice(bare.text.indexOf('"gradient_booster"'));
  const inFile = (await service.call("GET", path)).text;
  expect(inFile.endsWith(`${tail}}`)).toBe(true);

  expect(names).toHaveLength(Number(learner.learner_model_param.num_feature));
  expect(types).toHaveLength(names.length);
  expect(new Set(names).size).toBe(names.length);
  expect(names.slice(0, 5)).toEqual([
    "size",
    "colour=red",
    'colour="model":{"learner":{"attributes":{},"feature_names":(),"feature_types":(),',
    'colour=,"metrics":{',
    "colour=red (2)",
  ]);
  expect(names).toContain("a (b) ‹ c=city 1");
  expect(names).toContain("a (b) ‹ c=(other)");
  expect(names).toContain("day.month");
  const columns = JSON.parse(attributes.columns);
  expect(columns.map(({ column }: { column: string }) => column)).toEqual(header);
  expect(columns[2].categories).toEqual(file.features[2].categories);
  expect(JSON.parse(attributes.fills)[0]).toBe(mode === "light" ? file.features[0].mean : null);
});

test("it is told by a tag of its own, and another format is refused", async () => {
  const path = await trained("heavy");
  const whole = await service.call("GET", path);
  const bare = await service.call("GET", `${path}?format=xgboost`);
  const etag = bare.headers.get("etag")!;
  expect(etag).not.toBe(whole.headers.get("etag"));
  const again = await service.call("GET", `${path}?format=xgboost`, undefined, { "if-none-match": etag });
  expect(again.status).toBe(304);
  const asked = await fetch(`${service.url}/api/ml/v1${path}?format=xgboost`, { method: "HEAD" });
  expect(asked.headers.get("content-length")).toBe(bare.headers.get("content-length"));
  expect((await service.call("GET", `${path}?format=pickle`)).json.code).toBe("VALIDATION_FAILED");
  expect((await service.call("GET", `${path}?format=document`)).text).toBe(whole.text);
});
