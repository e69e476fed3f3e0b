import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeText } from "../support/encode-text.ts";
import { parquetOf } from "../support/parquet-of.ts";
import { type RunningService, startService } from "../support/service.ts";
import { workbookOf } from "../support/xlsx-file.ts";

/** Zip codes that look like numbers, weights with words among them, ids that say the row. */
const rows = (write: (row: number) => string, count = 40) =>
  `id,zip,kg,label\n${Array.from({ length: count }, (_, row) => `${write(row)}\n`).join("")}`;
const table = (salt: string, count = 40) =>
  rows(
    (row) => `${salt}${row},${1000 + (row % 4)},${row % 3 === 0 ? "about 2" : row / 2},${row % 2 === 0 ? "p" : "q"}`,
    count,
  );

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

const upload = async (name: string, said: Record<string, string> = {}, content = table(name)) => {
  const answer = await service.upload(content, { name, ...said });
  expect(answer.status, answer.text).toBe(201);
  return answer.json;
};
const patch = (id: string, body: unknown) => service.call("PATCH", `/datasets/${id}`, body);
const shown = async (id: string) => (await service.call("GET", `/datasets/${id}`)).json;
const profiled = (id: string) =>
  expect.poll(async () => (await shown(id)).profile?.map(({ type }: { type: string }) => type) ?? null);
const typesOf = ({ understood }: { understood: { columns: { type: string }[] } }) =>
  understood.columns.map(({ type }) => type);
const asFeature = ({ name, type, examples }: Record<string, unknown>) => ({ name, type, examples });
const rolesOf = ({ understood }: { understood: { columns: { role: string }[] } }) =>
  understood.columns.map(({ role }) => role);

describe("as long as no run has used it, a dataset is corrected itself", () => {
  test("dates that tell no day from month are what the correction says", async () => {
    const slashed = rows(
      (row) => `${(row % 12) + 1}/${((row * 5) % 12) + 1}/2024,${row},1,${row % 2 === 0 ? "p" : "q"}`,
    );
    const { id } = await upload("day or month", { types: '{"id": "text"}' }, slashed);
    const secondDay = async () => (await service.call("GET", `/datasets/${id}/rows?offset=1&limit=1`)).json.rows[0][0];
    expect((await patch(id, { types: { id: "date" } })).json.code).toBe("DATE_ORDER_UNKNOWN");
    const said = await patch(id, { types: { id: "date" }, dayFirst: true });
    expect([said.status, said.json.said]).toEqual([200, { types: { id: "date" }, dayFirst: true }]);
    expect(await secondDay()).toBe("2024-06-02");
    await profiled(id).toEqual(["date", "number", "number", "text"]);
    expect((await patch(id, { dayFirst: false })).json.said.dayFirst).toBe(false);
    expect(await secondDay()).toBe("2024-02-06");
    expect((await patch(id, { dayFirst: null })).json.code).toBe("DATE_ORDER_UNKNOWN");
    expect((await patch(id, { dayFirst: "true" })).json.code).toBe("VALIDATION_FAILED");
    expect((await patch(id, { types: null, dayFirst: null, target: "id" })).json.said).toEqual({ target: "id" });
    expect((await patch(id, { target: "label" })).json.code).toBe("DATE_ORDER_UNKNOWN");
  });

  test("types, target and what is left out, and its profile is made anew", async () => {
    const { id, sha256, createdAt } = await upload("itself");
    await profiled(id).toEqual(["text", "number", "text", "text"]);
    const paths = [`/datasets/${id}`, `/datasets/${id}/rows`];
    const tags = async () =>
      Promise.all(paths.map(async (path) => (await service.call("GET", path)).headers.get("etag")));
    const before = await tags();
    const answer = await patch(id, { types: { zip: "text", kg: "number" }, target: "zip", leftOut: ["id"] });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json).toMatchObject({
      id,
      sha256,
      createdAt,
      version: 1,
      versionOf: null,
      target: "zip",
      task: "classification",
      said: { types: { zip: "text", kg: "number" }, target: "zip", leftOut: ["id"] },
      warnings: [{ code: "NUMBERS_AND_TEXT", column: "kg" }],
    });
    expect(typesOf(answer.json)).toEqual(["text", "text", "number", "text"]);
    expect(rolesOf(answer.json)).toEqual(["left out", "target", "feature", "feature"]);
    expect(new URL(answer.headers.get("location")!, `${service.url}/api/ml/v1/datasets/${id}`).pathname).toBe(
      `/api/ml/v1/datasets/${id}`,
    );
    await profiled(id).toEqual(["text", "text", "number", "text"]);
    // Who has seen it as it was must not hear «unchanged», of rows neither.
    const after = await tags();
    expect(after.filter((tag, index) => tag === before[index])).toEqual([]);
    expect((await service.call("GET", `/datasets/${id}/rows`)).json.rows[0]).toEqual(["itself0", "1000", null, "p"]);
  });

  test("what is not named stays as it was said, and null takes it back", async () => {
    const { id } = await upload("merged", { types: '{"zip":"text"}', missing: "about 2", leftOut: '["id"]' });
    const first = await patch(id, { target: "kg" });
    expect(first.json).toMatchObject({
      target: "kg",
      task: "regression",
      said: { types: { zip: "text" }, missing: ["about 2"], leftOut: ["id"], target: "kg" },
    });
    expect(typesOf(first.json)).toEqual(["text", "text", "number", "text"]);
    const second = await patch(id, { types: { zip: null }, target: null, leftOut: null });
    expect(second.json).toMatchObject({ target: "label", said: { missing: ["about 2"] } });
    expect(Object.keys(second.json.said)).toEqual(["missing"]);
    expect(typesOf(second.json)).toEqual(["text", "number", "number", "text"]);
    expect(rolesOf(second.json)).toEqual(["feature", "feature", "feature", "target"]);
  });

  test("what is said already changes nothing", async () => {
    const { id } = await upload("same", { types: '{"zip":"text"}', leftOut: '["id", "id"]' });
    const before = await service.call("GET", `/datasets/${id}`);
    for (const body of [
      {},
      { types: { zip: "text" } },
      { types: { kg: null } },
      { leftOut: ["id"] },
      { target: null },
    ]) {
      const answer = await patch(id, body);
      expect([answer.status, answer.json.said]).toEqual([200, before.json.said]);
    }
  });

  test.each([
    ["a column that is not there", { types: { nope: "text" } }, "FIELD_INVALID", /`types` names «nope»/],
    ["a type that is none", { types: { zip: "colour" } }, "FIELD_INVALID", /`types`/],
    ["types that are none", { types: ["zip"] }, "FIELD_INVALID", /`types`/],
    ["types in a word", { types: "text" }, "FIELD_INVALID", /`types`/],
    ["a name that objects have", { types: { __proto__x: "text" } }, "FIELD_INVALID", /__proto__x/],
    ["numbers where none are", { types: { label: "number" } }, "FIELD_INVALID", /«label» has numbers/],
    ["a target that is not there", { target: "nope" }, "TARGET_UNKNOWN", /«nope»/],
    ["left out what is not there", { leftOut: ["nope"] }, "FIELD_INVALID", /`leftOut` names «nope»/],
    ["the target left out", { leftOut: ["label"] }, "FIELD_INVALID", /«label», which is the target/],
    ["all left out", { leftOut: ["id", "zip", "kg"] }, "FIELD_INVALID", /nothing is left/],
    ["names that are none", { leftOut: [1] }, "VALIDATION_FAILED", /errors/],
    ["another field", { name: "x" }, "VALIDATION_FAILED", /errors/],
    ["no object", [], "VALIDATION_FAILED", /errors/],
  ])("%s is refused, and nothing has changed", async (name, body, code, words) => {
    const { id } = await upload(`refused ${name}`);
    const answer = await patch(id, body);
    expect(answer.json).toMatchObject({ code, detail: expect.stringMatching(words) });
    expect(await shown(id)).toMatchObject({ target: "label", said: {} });
  });

  test("a column may be called as a part of each object is", async () => {
    const content = `__proto__,constructor,label\n${Array.from({ length: 20 }, (_, row) => `${row},${row % 5},${row % 2}\n`).join("")}`;
    const { id } = await upload("proto", {}, content);
    const answer = await service.call(
      "PATCH",
      `/datasets/${id}`,
      '{"types":{"__proto__":"text"},"leftOut":["constructor"]}',
      { "content-type": "application/json" },
    );
    expect(answer.status, answer.text).toBe(200);
    expect(typesOf(answer.json)).toEqual(["text", "number", "number"]);
    expect(rolesOf(answer.json)).toEqual(["feature", "left out", "target"]);
    expect(answer.text).toContain('"types":{"__proto__":"text"}');
    const back = '{"types":{"__proto__":null}}';
    const taken = await service.call("PATCH", `/datasets/${id}`, back, { "content-type": "application/json" });
    expect(typesOf(taken.json)).toEqual(["number", "number", "number"]);
  });

  const csv = table("file");
  const records = Array.from({ length: 20 }, (_, row) =>
    JSON.stringify({ id: `r${row}`, kg: (row % 9) / 2, label: row % 2 }),
  );
  const cells = (...texts: string[]) =>
    `<row>${texts.map((text) => `<c t="inlineStr"><is><t>${text}</t></is></c>`).join("")}</row>`;
  const sheet =
    cells("id", "kg", "label") +
    Array.from({ length: 9 }, (_, row) => cells(`r${row}`, `${row}`, `${row % 2}`)).join("");
  const sheets = [
    { name: "Table", rows: sheet },
    { name: "Other", rows: cells("made by Anna") },
  ];
  test.each<[string, () => Buffer | Promise<Buffer>]>([
    ["JSON lines", () => Buffer.from(`${records.join("\n")}\n`)],
    ["a list in JSON", () => Buffer.from(`[${records.join(",")}]`)],
    ["Parquet", () => parquetOf(csv)],
    ["a workbook of two sheets", () => workbookOf({ sheets })],
    ["a code page that was guessed", () => encodeText(csv.replaceAll("about", "около"), "windows-1251")],
    ["UTF-16", () => Buffer.from(`\uFEFF${csv}`, "utf16le")],
    ["line ends of several kinds", () => Buffer.from(csv.replace("\n", "\r\n").replace(/(?<=file5.*)\n/, "\r"))],
    ["lines above the header", () => Buffer.from(`Things of May\n# all of them\n\n${csv}`)],
  ])("a file is read as it was, but for what is corrected: %s", async (name, write) => {
    const { json } = await service.upload(await write(), { name: `as ${name}` }, "table.dat");
    await expect.poll(async () => (await shown(json.id)).profile ?? null).not.toBeNull();
    const { profile } = await shown(json.id);
    const answer = await patch(json.id, { leftOut: ["id"] });
    expect(answer.status, answer.text).toBe(200);
    const roles = { ...answer.json.understood, columns: answer.json.understood.columns.map(asFeature) };
    expect(roles).toEqual({ ...json.understood, columns: json.understood.columns.map(asFeature) });
    expect(answer.json.warnings).toEqual(json.warnings);
    // Cells are read as they were: the profile holds.
    expect((await shown(json.id)).profile).toEqual(profile);
    expect(typesOf((await patch(json.id, { types: { kg: "text" } })).json)).toContain("text");
    const run = (await service.train(json.id, { mode: "light" })).json;
    expect([run.status, run.error]).toEqual(["succeeded", null]);
    const version = await patch(json.id, { types: null, leftOut: null });
    expect(version.status, version.text).toBe(201);
    expect(version.json.understood).toEqual(json.understood);
  });

  test("corrections at once are all kept, and the profile is of the last types", async () => {
    const { id } = await upload("at once", {}, table("at once", 2000));
    const bodies = [
      { types: { zip: "text" } },
      { types: { kg: "number" } },
      { leftOut: ["id"] },
      { target: "zip" },
      { types: { id: "text" } },
    ];
    for (const answer of await Promise.all(bodies.map((body) => patch(id, body))))
      expect(answer.status, answer.text).toBe(200);
    expect((await shown(id)).said).toEqual({
      types: { zip: "text", kg: "number", id: "text" },
      leftOut: ["id"],
      target: "zip",
    });
    await profiled(id).toEqual(["text", "text", "number", "text"]);
  });
});

describe("once a run has used it, a dataset stays, and a correction makes a new version", () => {
  test("which has the same file, goes with the same age, and can be trained on and removed alone", async () => {
    const first = await upload("used");
    expect((await service.train(first.id, { mode: "light" })).json.status).toBe("succeeded");
    await profiled(first.id).toEqual(["text", "number", "text", "text"]);
    const before = await shown(first.id);
    const answer = await patch(first.id, { types: { zip: "text" }, leftOut: ["id"] });
    expect(answer.status, answer.text).toBe(201);
    const second = answer.json;
    const { sha256, createdAt, expiresAt } = first;
    expect(second).toMatchObject({ name: "used", sha256, createdAt, expiresAt, version: 2, versionOf: first.id });
    expect(second.id).not.toBe(first.id);
    expect(new URL(answer.headers.get("location")!, `${service.url}/api/ml/v1/datasets/${first.id}`).pathname).toBe(
      `/api/ml/v1/datasets/${second.id}`,
    );
    expect(await shown(first.id)).toEqual(before);
    await profiled(second.id).toEqual(["text", "text", "text", "text"]);

    // The same again is the same version, and what has no effect is none.
    const again = await patch(first.id, { types: { zip: "text" }, leftOut: ["id"] });
    expect([again.status, again.json.id]).toEqual([200, second.id]);
    const idle = await patch(first.id, { types: { id: "text" } });
    expect([idle.status, idle.json.id, idle.json.said]).toEqual([200, first.id, {}]);
    // The newest version that is read so is what the same file under the same name is.
    const sent = await service.upload(table("used"), { name: "used", types: '{"zip":"text"}', leftOut: '["id"]' });
    expect([sent.status, sent.json.id]).toEqual([200, second.id]);

    expect((await service.train(second.id, { mode: "light" })).json.status).toBe("succeeded");
    const third = await patch(second.id, { leftOut: null });
    expect(third.json).toMatchObject({ version: 3, versionOf: second.id, said: { types: { zip: "text" } } });
    expect((await service.call("DELETE", `/datasets/${second.id}`)).status).toBe(204);
    for (const id of [first.id, third.json.id])
      expect((await service.call("GET", `/datasets/${id}/content`)).text).toBe(table("used"));
    expect((await service.call("GET", `/datasets/${second.id}`)).status).toBe(404);
  });

  test("corrections at once make versions of different numbers, and the same one makes one", async () => {
    const { id } = await upload("versions at once");
    await service.train(id, { mode: "light" });
    const different = [{ types: { zip: "text" } }, { types: { kg: "number" } }, { leftOut: ["id"] }, { target: "zip" }];
    const made = await Promise.all(different.map((body) => patch(id, body)));
    expect(made.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(made.map(({ json }) => json.version).sort()).toEqual([2, 3, 4, 5]);
    const alike = await Promise.all(Array.from({ length: 4 }, () => patch(id, { leftOut: ["kg", "id"] })));
    expect(new Set(alike.map(({ json }) => json.id)).size).toBe(1);
    expect(alike.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
    // What those that were too late had copied is gone.
    const { items } = (await service.call("GET", "/datasets?limit=100")).json;
    const ids = items.map((item: { id: string }) => item.id).sort();
    expect((await readdir(join(service.dataDir, "files", "dataset"))).sort()).toEqual(ids);
  });

  test("a run that is submitted meanwhile has the dataset as it was, or as it is", async () => {
    for (let round = 0; round < 5; round += 1) {
      const { id } = await upload(`race ${round}`);
      const request = { datasetId: id, mode: "light" };
      const [corrected, submitted] = await Promise.all([
        patch(id, { types: { zip: "text" } }),
        service.call("POST", "/training-runs", request),
      ]);
      expect(submitted.status).toBe(202);
      const { json: run } = await service.waitForRun(submitted.json.id);
      expect(run.status).toBe("succeeded");
      const wasFirst = corrected.status === 200;
      expect(corrected.json.version).toBe(wasFirst ? 1 : 2);
      expect(run.columns[1]).toMatchObject({ name: "zip", as: wasFirst ? "categories" : "number" });
      expect(typesOf(await shown(id))[1]).toBe(wasFirst ? "text" : "number");
    }
  });
});

test("nothing is learnt from what is left out, unless another target is it, and predictions don't need it", async () => {
  const { id } = await upload("left out", { leftOut: '["id", "zip"]' });
  const run = (await service.train(id, { mode: "heavy", parameters: { rounds: 5 } })).json;
  expect(run).toMatchObject({ status: "succeeded", features: null, warnings: [] });
  expect(run.columns.map(({ name, as, reason }: Record<string, string>) => [name, reason ?? as])).toEqual([
    ["id", "left_out_in_dataset"],
    ["zip", "left_out_in_dataset"],
    ["kg", "categories"],
    ["label", "target"],
  ]);
  const { input } = (await service.call("GET", `/artifacts/${run.artifactId}`)).json;
  expect(Object.keys(input.example)).toEqual(["kg"]);
  expect(input.notNeeded).toEqual([
    { name: "id", reason: "left_out_in_dataset" },
    { name: "zip", reason: "left_out_in_dataset" },
    { name: "label", reason: "target" },
  ]);
  const predicted = await service.call("POST", `/artifacts/${run.artifactId}/predictions`, { rows: [{ kg: 1.5 }] });
  expect(predicted.status, predicted.text).toBe(200);

  const asked = { datasetId: id, mode: "light", features: ["kg", "zip"] };
  expect((await service.call("POST", "/training-runs", asked)).json).toMatchObject({
    code: "FEATURE_LEFT_OUT",
    detail: expect.stringMatching(/"zip".*PATCH \/datasets\/\{id\} with a `leftOut` without them/),
    errors: [{ path: "features", message: "zip is left out of the dataset" }],
  });
  const other = (await service.train(id, { mode: "light", target: "zip" })).json;
  expect(other.columns[1]).toMatchObject({ name: "zip", reason: "target" });
  expect(other.columns[3]).toMatchObject({ name: "label", as: "categories" });

  const back = await patch(id, { leftOut: ["id"] });
  expect([back.status, back.json.version]).toEqual([201, 2]);
  expect((await service.train(back.json.id, { ...asked, datasetId: back.json.id })).json.status).toBe("succeeded");
});
