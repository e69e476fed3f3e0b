import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { openStore } from "../../src/store/database.ts";
import { carsCsv, penguinsCsv } from "../support/real-data.ts";
import { type RunningService, startService } from "../support/service.ts";

type Row = Record<string, number | string | null>;
interface Feature {
  name: string;
  type: "number" | "category" | "date";
  categories?: string[];
  more?: number;
  numbersUpTo?: number | null;
}

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

/** Trains on a table; gives the model's path and what it says that it takes. */
async function trained(csv: string | Buffer, { target, ...run }: Record<string, unknown> & { target: string }) {
  const { json: dataset } = await service.upload(csv, { target });
  const { json } = await service.train(dataset.id, { ...run, parameters: run.mode === "heavy" ? { rounds: 5 } : {} });
  expect(json.status, JSON.stringify(json.error)).toBe("succeeded");
  const path = `/artifacts/${json.artifactId}`;
  return { path, input: (await service.call("GET", path)).json.input };
}

const predict = (path: string, rows: unknown[], query = "") =>
  service.call("POST", `${path}/predictions${query}`, { rows });

/** The schema as a validator of another make than what checks the rows. */
async function validatorOf(path: string, of: string) {
  const { json } = await service.call("GET", `${path}/schema?of=${of}`);
  const validator = z.fromJSONSchema(json);
  return (value: unknown): boolean => validator.safeParse(value).success;
}

/** A table of names that JavaScript and JSON have a meaning for. */
const strange = `__proto__,1,"a ""b"",c",constructor,y\n${Array.from(
  { length: 60 },
  (_, row) => `${row % 3 === 0 ? "x" : "z"},${row},${row % 7}.5,${row % 4 === 0 ? "" : "c"},${row % 2}`,
).join("\n")}\n`;

describe.each([
  ["light", "Species", penguinsCsv],
  ["heavy", "Species", penguinsCsv],
  ["light", "Miles_per_Gallon", carsCsv],
  ["heavy", "Miles_per_Gallon", carsCsv],
  ["light", "y", () => strange],
  ["heavy", "y", () => strange],
] as const)("a %s model of %s", (mode, target, csv) => {
  let path: string;
  let input: { features: Feature[]; example: Row; cut: boolean };
  beforeAll(async () => {
    ({ path, input } = await trained(csv(), { target, mode }));
  });

  test("predicts its example as it is, also where it must know every value", async () => {
    expect(Object.keys(input.example).sort()).toEqual(input.features.map(({ name }) => name).sort());
    const answer = await predict(path, [input.example], "?strict=true");
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json.predictions[0].unknown).toBeUndefined();
  });

  test("has a schema that accepts the example, and refuses what the service does", async () => {
    const [isRow, isBody] = [await validatorOf(path, "row"), await validatorOf(path, "body")];
    expect([isRow(input.example), isBody({ rows: [input.example] })]).toEqual([true, true]);
    expect([isBody({ rows: [] }), isBody({ rows: [input.example], more: 1 }), isBody({})]).toEqual(
      Array(3).fill(false),
    );
    // The validator knows no property of that name.
    for (const { name, type } of input.features.filter((feature) => feature.name !== "__proto__")) {
      const wrong = [[], {}, ...(type === "number" || type === "date" ? ["much", true] : [])];
      for (const cell of wrong) {
        const row = { ...input.example, [name]: cell };
        expect(isRow(row), `${name}: ${JSON.stringify(cell)}`).toBe(false);
        expect((await predict(path, [row])).json).toMatchObject({ code: "PREDICTION_INPUT_INVALID" });
      }
      const { [name]: _, ...without } = input.example;
      expect(isRow(without)).toBe(false);
      expect((await predict(path, [without])).json.code).toBe("PREDICTION_INPUT_INVALID");
    }
  });

  test("predicts every row that its schema accepts", async () => {
    const isRow = await validatorOf(path, "row");
    const rowOf = (times: number | null, category: unknown) =>
      Object.fromEntries(
        input.features.map(({ name, type, numbersUpTo }) => {
          const number = times === null ? null : times * (numbersUpTo ?? 1e307);
          if (type === "date")
            return [name, times === null ? null : ["2023-01-31", "1000-12-31T23:59", "9999-02-28"].at(times)];
          return [name, type === "number" ? number : category];
        }),
      );
    for (const row of [
      rowOf(null, null),
      rowOf(1, "never seen"),
      rowOf(-1, 1),
      rowOf(0, true),
      { ...input.example, other: [] },
    ]) {
      expect(isRow(row)).toBe(true);
      const answer = await predict(path, [row]);
      expect(answer.status, answer.text).toBe(200);
      const isUnknown = Object.values(row).includes("never seen");
      expect(answer.json.predictions[0].unknown !== undefined || !isUnknown).toBe(true);
    }
    const hasEnd = input.features.some(({ numbersUpTo }) => typeof numbersUpTo === "number");
    expect(isRow(rowOf(2, null))).toBe(!hasEnd);
  });
});

test("a model says what its features are, in order, and which columns it does not need and why", async () => {
  const many = Array.from({ length: 80 }, (_, row) => `name${row}`);
  const csv = `same,none,name,kind,size,aside,y\n${many
    .map((name, row) => `1,,${name},${row % 4 === 0 ? "b" : "a"},${row},${row},${row % 3 === 0 ? "p" : "q"}`)
    .join("\n")}\n`;
  const features = ["same", "none", "name", "kind", "size"];
  const { path, input } = await trained(csv, { target: "y", mode: "light", features });
  expect(input).toMatchObject({
    features: [
      { name: "kind", type: "category", categories: ["a", "b"], more: 0 },
      { name: "size", type: "number" },
    ],
    cut: false,
    example: { kind: "a", size: expect.any(Number) },
    notNeeded: [
      { name: "same", reason: "constant" },
      { name: "none", reason: "empty" },
      { name: "name", reason: "identifier" },
      { name: "aside", reason: "not_asked_for" },
      { name: "y", reason: "target" },
    ],
  });
  expect(Number.isInteger(input.example.size)).toBe(true);
  const schema = await service.call("GET", `${path}/schema`);
  expect(schema.headers.get("content-type")).toMatch(/^application\/schema\+json/);
  expect(schema.json.$defs.row.properties.kind.examples).toEqual(["a", "b"]);
  expect(schema.json.$defs.row.properties.kind).not.toHaveProperty("enum");
  expect((await service.call("GET", `${path}/schema?of=table`)).json.code).toBe("VALIDATION_FAILED");
  const { json: page } = await service.call("GET", "/artifacts?limit=1");
  expect(page.items[0]).not.toHaveProperty("input");
  expect((await service.call("PATCH", path, { pinned: true })).json.input).toEqual(input);
});

test("a category that is too long to be shown is counted, and the example has another", async () => {
  const long = "l".repeat(201);
  const csv = `kind,size,y\n${Array.from({ length: 60 }, (_, row) => `${row % 3 === 0 ? "short" : long},${row},${row % 2}`).join("\n")}\n`;
  const { path, input } = await trained(csv, { target: "y", mode: "heavy" });
  expect(input).toMatchObject({
    features: [{ name: "kind", categories: ["short"], more: 1 }, { name: "size" }],
    cut: true,
    example: { kind: "short" },
  });
  const { json: row } = await service.call("GET", `${path}/schema?of=row`);
  expect(row.properties.kind.description).toContain("2 categories, of which 1 are shown");
  expect((await predict(path, [input.example])).status).toBe(200);
});

test("numbers so large that a linear model has no answer are beyond what its schema accepts", async () => {
  const csv = `tiny,y\n${Array.from({ length: 60 }, (_, row) => `${row}e-12,${row * 3}.5`).join("\n")}\n`;
  const { path, input } = await trained(csv, { target: "y", mode: "light" });
  expect((await predict(path, [{ tiny: 1e38 }])).json.code).toBe("PREDICTION_INPUT_INVALID");
  expect((await validatorOf(path, "row"))({ tiny: 1e38 })).toBe(false);
  expect((await predict(path, [{ tiny: input.features[0].numbersUpTo }])).status).toBe(200);
});

test("a column of tiny numbers takes nothing of what the others may be", async () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({
    mass: 9.1e-31 * (1 + (i % 7) / 10),
    price: 100_000 + i * 5_000,
    offset: 123_456.5 + i / 60,
    y: (i % 7) * 3 + i * 2,
  }));
  const csv = `mass,price,offset,y\n${rows.map((row) => Object.values(row).join(",")).join("\n")}\n`;
  const { path, input } = await trained(csv, { target: "y", mode: "light" });
  expect(Object.values(input.example)).not.toContain(null);
  expect(input.example.offset).toBeCloseTo(123_457, 0);
  const isRow = await validatorOf(path, "row");
  for (const row of [...rows, input.example]) expect(isRow(row), JSON.stringify(row)).toBe(true);
  expect((await predict(path, rows)).status).toBe(200);
  for (const signs of [0, 1, 2, 3, 4, 5, 6, 7]) {
    const row = Object.fromEntries(
      input.features.map(({ name, numbersUpTo }: Feature, at: number) => [
        name,
        (numbersUpTo ?? 1e38) * (((signs >> at) & 1) === 1 ? -1 : 1),
      ]),
    );
    expect(isRow(row)).toBe(true);
    expect((await predict(path, [row])).status, JSON.stringify(row)).toBe(200);
  }
});

test("a model whose weights are no 32-bit floats is none, and the run says what to change", async () => {
  const csv = `a,y\n${Array.from({ length: 60 }, (_, row) => `${row + 1}e-39,${row * 10}`).join("\n")}\n`;
  const { json: dataset } = await service.upload(csv, { target: "y" });
  const { json: run } = await service.train(dataset.id, { mode: "light" });
  expect(run).toMatchObject({ status: "failed", artifactId: null, error: { code: "NUMBERS_OUT_OF_RANGE" } });
  expect(run.error.message).toContain('"a"');
});

// The last one: it goes on with what the others left.
test("a model from before this was kept says so", async () => {
  const { json: page } = await service.call("GET", "/artifacts?limit=1");
  const path = `/artifacts/${page.items[0].id}`;
  await service.halt();
  const store = await openStore(service);
  await sql`update artifacts set input = null`.execute(store.db);
  await store.stop();
  service = await startService({ on: service });
  expect((await service.call("GET", path)).json).toMatchObject({ id: page.items[0].id, input: null });
  expect((await service.call("GET", `${path}/schema`)).json).toMatchObject({
    status: 404,
    code: "INPUT_NOT_DESCRIBED",
  });
});
