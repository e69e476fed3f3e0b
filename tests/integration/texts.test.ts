import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningService, startService } from "../support/service.ts";

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

/** Trains on a table: the run, and the path of its model. */
async function trained(csv: string, { target, ...run }: Record<string, unknown> & { target: string }) {
  const { json: dataset } = await service.upload(csv, { target, name: crypto.randomUUID() });
  const { json: ended } = await service.train(dataset.id, run);
  expect(ended).toMatchObject({ status: "succeeded" });
  return { run: ended, path: `/artifacts/${ended.artifactId}` };
}

const predict = (path: string, rows: readonly Record<string, unknown>[], query = "") =>
  service.call("POST", `${path}/predictions${query}`, { rows });

/** 200 cities: the first 40 in 20 rows each, of which half are dear; the others in 2 rows each, middling. None is dearest. */
const rowsOfCities = Array.from({ length: 201 }, (_, city) =>
  Array.from({ length: city < 40 || city === 200 ? 20 : 2 }, (_, row) => {
    const size = (row * 7 + city) % 10;
    const price = city === 200 ? 2_000 : city >= 40 ? 500 : city % 2 === 0 ? 900 : 100;
    return { city: city === 200 ? null : `city ${String(city).padStart(3, "0")}`, size, price: price + size };
  }),
).flat();
const citiesCsv = `city,size,price\n${rowsOfCities.map((row) => Object.values(row).join(",")).join("\n")}\n`;

describe.each(["light", "heavy"] as const)("a column of 200 texts in a %s model", (mode) => {
  let run: Awaited<ReturnType<typeof trained>>["run"];
  let path: string;
  beforeAll(async () => {
    const parameters = mode === "heavy" ? { rounds: 300, learningRate: 0.3 } : {};
    ({ run, path } = await trained(citiesCsv, { target: "price", task: "regression", mode, parameters }));
  });
  const answersTo = async (cities: readonly (string | null)[], query = "") => {
    const { json } = await predict(
      path,
      cities.map((city) => ({ city, size: 5 })),
      query,
    );
    return json.predictions as { prediction: number; unknown?: string[] }[];
  };

  test("is learnt from: frequent values each, the others together", async () => {
    expect(run.metrics.r2).toBeGreaterThan(0.8);
    expect(run.columns[0]).toMatchObject({ name: "city", as: "categories", categories: 40 });
    expect(run.columns[0].others).toBeGreaterThan(100);
    const { json: model } = await service.call("GET", `${path}/content`);
    expect(model.features[0].categories).toEqual(
      Array.from({ length: 40 }, (_, city) => `city ${String(city).padStart(3, "0")}`),
    );
    expect(model.features[0].others).toMatchObject({ more: 0 });
    expect(model.features[0].others.seen).toHaveLength(run.columns[0].others);
    if (mode === "light")
      expect(
        model.coefficients.features.filter(({ column }: { column: string }) => column === "city")[40],
      ).toMatchObject({ others: true });
  });

  test("predicts a frequent value, a rare one, and one that it never saw as a rare one, which is told", async () => {
    const { json: model } = await service.call("GET", `${path}/content`);
    const rare = model.features[0].others.seen[0];
    const answers = await answersTo(["city 000", "city 001", rare, "Atlantis", null]);
    const [dear, cheap, middling, never, none] = answers;
    expect(dear!.prediction).toBeGreaterThan(750);
    expect(cheap!.prediction).toBeLessThan(250);
    expect(Math.abs(middling!.prediction - 505)).toBeLessThan(100);
    expect(never).toEqual({ prediction: middling!.prediction, unknown: ["city"] });
    expect(answers.filter(({ unknown }) => unknown !== undefined)).toEqual([never]);
    expect(none!.prediction).toBeGreaterThan(1_000);
    const asCsv = await service.call("POST", `${path}/predictions`, `city,size\n${rare},5\nAtlantis,5\n`, {
      "content-type": "text/csv",
    });
    expect(asCsv.json.predictions).toEqual([middling, never]);
    expect((await predict(path, [{ city: rare, size: 5 }], "?strict=true")).status).toBe(200);
    const refused = await predict(path, [{ city: "Atlantis", size: 5 }], "?strict=true");
    expect(refused.json).toMatchObject({ code: "PREDICTION_INPUT_INVALID" });
    expect(refused.json.detail).toContain("Atlantis");
  });

  test("is told in what the model takes", async () => {
    const { json: artifact } = await service.call("GET", path);
    const [city] = artifact.input.features;
    expect(city).toMatchObject({ type: "category", more: 0, others: run.columns[0].others });
    expect(city.categories).toHaveLength(40);
    const { json: row } = await service.call("GET", `${path}/schema?of=row`);
    expect(row.properties.city.description).toContain(`one of ${city.others} rarer values`);
    expect((await predict(path, [artifact.input.example], "?strict=true")).status).toBe(200);
  });
});

test("of more values than a model's file has room for, those that it has none for are told as never seen", async () => {
  const rows = Array.from({ length: 2_400 }, (_, row) =>
    row % 4 < 2 ? `often,${row % 4}` : `${"a rather long value ".repeat(10)}${Math.floor(row / 8)},${row % 4}`,
  );
  const long = Array.from({ length: 4_000 }, (_, row) => `${"x".repeat(400)}${row >> 1},${row % 5}`);
  const { run, path } = await trained(`text,y\n${[...rows, ...long].join("\n")}\n`, {
    target: "y",
    task: "regression",
    mode: "light",
  });
  const { json: model } = await service.call("GET", `${path}/content`);
  const [{ others }] = model.features;
  expect(others.more).toBeGreaterThan(500);
  expect(others.seen.length + others.more).toBe(run.columns[0].others);
  expect(Buffer.byteLength(JSON.stringify(others.seen))).toBeLessThan(257 * 1024);
  const lost = Array.from({ length: 2_000 }, (_, at) => `${"x".repeat(400)}${at}`).find(
    (text) => !others.seen.includes(text),
  );
  const { json } = await predict(path, [{ text: others.seen[0] }, { text: lost }]);
  expect(json.predictions[0].unknown).toBeUndefined();
  expect(json.predictions[1]).toEqual({ prediction: json.predictions[0].prediction, unknown: ["text"] });
});

test("identifiers, and texts of which none is in enough rows, are left out with their reasons", async () => {
  const rows = Array.from({ length: 400 }, (_, row) => {
    const nearly = row % 50 === 0 ? "anonymous" : `user ${row}`;
    return `id ${row},${nearly},pair ${row >> 1},${row % 3 === 0 ? "a" : "b"},${row % 3}`;
  });
  const csv = `id,nearly,pair,kind,y\n${rows.join("\n")}\n`;
  const features = ["id", "nearly", "pair", "kind"];
  const { run, path } = await trained(csv, { target: "y", task: "regression", mode: "light", features });
  expect(run.columns).toMatchObject([
    { name: "id", as: "left_out", reason: "identifier" },
    { name: "nearly", as: "left_out", reason: "identifier" },
    { name: "pair", as: "left_out", reason: "too_many_categories" },
    { name: "kind", as: "categories" },
    { name: "y", reason: "target" },
  ]);
  expect(run.warnings).toMatchObject([
    { code: "TARGET_FEW_COUNTS", column: "y" },
    { code: "COLUMN_IS_IDENTIFIER", column: "id" },
    { code: "COLUMN_IS_IDENTIFIER", column: "nearly" },
    { code: "COLUMN_HAS_TOO_MANY_CATEGORIES", column: "pair" },
  ]);
  expect(run.warnings[3].message).toContain("none of which is in 5 of the rows");
  const { json: model } = await service.call("GET", `${path}/content`);
  expect(model.droppedColumns).toEqual([
    { name: "id", reason: "identifier" },
    { name: "nearly", reason: "identifier" },
    { name: "pair", reason: "too_many_categories" },
  ]);
});

describe("a column that says what the target does", () => {
  const rows = Array.from({ length: 90 }, (_, row) => ({
    code: ["x", "y", ""][row % 3],
    sold: row % 3 === 1,
    copy: row * 3,
    nearly: row === 50 ? 1 : row * 3,
    size: row % 7,
    kind: ["p", "q", "r"][row % 3],
    amount: row * 3,
  }));
  const csv = `${Object.keys(rows[0]!).join(",")}\n${rows.map((row) => Object.values(row).join(",")).join("\n")}\n`;
  const twins = (run: { columns: { name: string; equalsTarget?: true }[] }) =>
    run.columns.filter(({ equalsTarget }) => equalsTarget).map(({ name }) => name);

  test("has the classes by other names, none among them: it is warned about and learnt from", async () => {
    const features = ["code", "sold", "copy", "size"];
    const { run } = await trained(csv, { target: "kind", mode: "heavy", features });
    expect(run.warnings).toMatchObject([{ code: "COLUMN_EQUALS_TARGET", column: "code" }]);
    expect(run.warnings[0].message).toMatch(/^«code» says what the target does .*`leftOut`/);
    expect(twins(run)).toEqual(["code"]);
    expect(run.columns[0]).toMatchObject({ as: "categories" });
  });

  test("has the same numbers, whoever asked for it", async () => {
    const { run } = await trained(csv, { target: "amount", task: "regression", mode: "light" });
    expect(run.warnings).toMatchObject([{ code: "COLUMN_EQUALS_TARGET", column: "copy" }]);
    expect(twins(run)).toEqual(["copy"]);
  });
});
