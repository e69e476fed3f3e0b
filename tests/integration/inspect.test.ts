import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningService, startService } from "../support/service.ts";

let service: RunningService;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const table = `price;kg;label\n${Array.from({ length: 30 }, (_, row) => `${row},5;${row % 7};${row % 2 === 0 ? "x" : "y"}`).join("\n")}\n`;

function formOf(content: string, fields: Record<string, string> = {}): FormData {
  const form = new FormData();
  form.append("file", new Blob([content]), "prices.csv");
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}

const kept = async () => {
  // Typed copies of what was kept are in the making for a moment.
  await expect.poll(() => readdir(join(service.dataDir, "files", "tmp"))).toEqual([]);
  return [
    (await service.call("GET", "/datasets")).json.items.length,
    (await readdir(join(service.dataDir, "files", "dataset"))).length,
  ];
};

test("a table is understood as an upload would understand it, and nothing of it is kept", async () => {
  const before = await kept();
  const counted = await service.metric("mlops_backend_dataset_uploads_total");
  const inspected = await service.call("POST", "/datasets/inspect", formOf(table, { target: "kg" }));
  expect(await kept()).toEqual(before);
  expect(await service.metric("mlops_backend_dataset_uploads_total")).toBe(counted);
  const uploaded = await service.call("POST", "/datasets/upload", formOf(table, { target: "kg" }));
  const isOfDataset = (field: string) =>
    ["id", "name", "createdAt", "expiresAt", "version", "versionOf", "said"].includes(field);
  const same = Object.fromEntries(Object.entries(uploaded.json).filter(([field]) => !isOfDataset(field)));
  expect(inspected).toMatchObject({ status: 200, json: { target: "kg", rows: 30, understood: { delimiter: ";" } } });
  expect(inspected.json).toEqual(same);
});

test("a table that would be refused is refused in the same words", async () => {
  const before = await kept();
  for (const content of ["a,b\n1\n", "<html>", ""]) {
    const inspected = await service.call("POST", "/datasets/inspect", formOf(content));
    const uploaded = await service.call("POST", "/datasets/upload", formOf(content));
    const { instance: _, ...said } = uploaded.json;
    expect(inspected.json).toMatchObject({ code: said.code, detail: said.detail, status: said.status });
  }
  expect(await kept()).toEqual(before);
});

test("the same content read in another way is another dataset", async () => {
  const content = `a;b\n${"1,5;x\n2,5;y\n".repeat(10)}`;
  const first = await service.upload(content, { name: "one" });
  expect((await service.upload(content, { name: "one", delimiter: ";", decimal: "," })).json.id).toBe(first.json.id);
  const other = await service.upload(content, { name: "one", decimal: "." });
  expect(other.json).toMatchObject({
    status: 409,
    code: "DATASET_EXISTS",
    detail: expect.stringContaining("another way"),
  });
  const named = await service.upload(content, { name: "two", decimal: "." });
  expect(named.json).toMatchObject({ understood: { decimal: "." } });
});
