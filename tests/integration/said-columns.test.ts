import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningService, startService } from "../support/service.ts";

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

const table = (cells: (row: number) => string, rows = 200) =>
  `zip,kg,label\n${Array.from({ length: rows }, (_, row) => `${cells(row)}\n`).join("")}`;
/** Light things come from four places; what has no weight is heavy as often. */
const thing = (row: number, kg: string) => `${row % 4},${kg},${row % 20 < 10 ? "light" : "heavy"}`;
const kgOf = (row: number) => (row % 20) + 0.5;

/** What a table is understood as. */
async function kept(content: string, name: string, said: Record<string, string> = {}) {
  const answer = await service.upload(content, { name, ...said });
  expect(answer.status, answer.text).toBe(201);
  const { id, understood, warnings } = answer.json;
  const rows = (await service.call("GET", `/datasets/${id}/rows?limit=100`)).json.rows as unknown[][];
  const types = understood.columns.map(({ type }: { type: string }) => type);
  return { id: id as string, types, understood, warnings, rows };
}

async function predictor(id: string, request: Record<string, unknown> = {}) {
  const run = await service.train(id, { mode: "heavy", parameters: { rounds: 10 }, ...request });
  expect(run.json).toMatchObject({ status: "succeeded" });
  return async (body: string | object, query = "") => {
    const headers = { "content-type": typeof body === "string" ? "text/csv" : "application/json" };
    return service.call("POST", `/artifacts/${run.json.artifactId}/predictions${query}`, body, headers);
  };
}

test.each([
  ["plain", (kg: number) => String(kg), ","],
  ["in a form", (kg: number) => `${kg} kr`, ","],
  ["with a decimal comma", (kg: number) => String(kg).replace(".", ","), ";"],
])("a stray cell among numbers is missing, and so it is for the model: %s", async (name, write, delimiter) => {
  const cells = (row: number) => [String(row % 4), `"${row === 55 || row === 60 ? "unknown, 5" : write(kgOf(row))}"`];
  const lines = Array.from({ length: 200 }, (_, row) => [...cells(row), row % 20 < 10 ? "light" : "heavy"]);
  const written = [["zip", "kg", "label"], ...lines].map((line) => `${line.join(delimiter)}\n`).join("");
  const { id, types, warnings, rows } = await kept(written, `strays ${name}`);
  expect(types).toEqual(["number", "number", "text"]);
  expect(warnings).toMatchObject([{ code: "NUMBERS_AND_TEXT", column: "kg", line: 57, cell: "unknown, 5" }]);
  expect(rows[54]![1]).toBe(kgOf(54));
  expect([rows[55]![1], rows[60]![1]]).toEqual([null, null]);
  const predict = await predictor(id);
  const [header, ...sent] = written.split("\n");
  const some = await predict([header, ...sent.slice(50, 60)].join("\n"));
  expect(some.status, some.text).toBe(200);
  expect(some.json.predictions.map(({ unknown }: { unknown?: string[] }) => unknown)).toEqual(
    Array.from({ length: 10 }, (_, place) => (place === 5 ? ["kg"] : undefined)),
  );
  const missing = await predict({ rows: [{ zip: 3, kg: null }] });
  const stray = await predict({ rows: [{ zip: 3, kg: "unknown, 5" }] });
  expect(stray.json.predictions[0]).toEqual({ ...missing.json.predictions[0], unknown: ["kg"] });
  expect((await predict({ rows: [{ zip: 3, kg: "unknown, 5" }] }, "?strict=true")).json.code).toBe(
    "PREDICTION_INPUT_INVALID",
  );
  // A list is no stray cell.
  expect((await predict({ rows: [{ zip: 3, kg: [1] }] })).json.code).toBe("PREDICTION_INPUT_INVALID");
  expect((await predict({ rows: [{ zip: "far", kg: 1 }] })).json.code).toBe("PREDICTION_INPUT_INVALID");
});

test("the profile of a column with strays counts them as missing", async () => {
  const { id } = await kept(
    table((row) => thing(row, row < 8 ? `n.d. ${row}` : String(kgOf(row)))),
    "profile of strays",
  );
  await expect
    .poll(async () => (await service.call("GET", `/datasets/${id}`)).json.profile?.[1])
    .toMatchObject({ type: "number", nullRatio: expect.closeTo(0.04), distinct: 20, min: 0.5, max: 19.5 });
});

test("a target that can be learnt as classes stays one of text, and one that can't is one of numbers", async () => {
  const classes = await kept(
    table((row) => `${row % 3},${row},${row === 70 ? "2b" : row % 4}`),
    "classes with a word",
  );
  expect(classes.types).toEqual(["number", "number", "text"]);
  expect(classes.warnings).toMatchObject([{ code: "NUMBERS_AND_TEXT", column: "label", cell: "2b" }]);
  const amounts = await service.upload(
    table((row) => `${row % 3},${row % 7},${row === 70 ? "refunded" : row * 3}`),
    { name: "amounts with a word" },
  );
  expect(amounts.json).toMatchObject({
    task: "regression",
    warnings: [{ code: "TARGET_ROWS_MISSING" }, { code: "NUMBERS_AND_TEXT" }],
  });
  await predictor(amounts.json.id);
});

test("types that are said are taken: codes as text, and text among numbers as missing", async () => {
  const content = table((row) => thing(row, row % 3 === 0 ? `about ${row}` : String(kgOf(row))));
  expect((await kept(content, "not said")).types).toEqual(["number", "text", "text"]);
  const said = await kept(content, "said", { types: '{"zip": "text", "kg": "number"}' });
  expect(said.types).toEqual(["text", "number", "text"]);
  expect(said.warnings).toMatchObject([{ code: "NUMBERS_AND_TEXT", column: "kg", line: 2, cell: "about 0" }]);
  expect(said.rows.slice(0, 2)).toEqual([
    ["0", null, "light"],
    ["1", 1.5, "light"],
  ]);
  const predict = await predictor(said.id);
  const { predictions } = (
    await predict({
      rows: [
        { zip: "7", kg: 1 },
        { zip: "1", kg: "?" },
      ],
    })
  ).json;
  expect(predictions.map(({ unknown }: { unknown?: string[] }) => unknown)).toEqual([["zip"], ["kg"]]);
});

test("a target of numbers that is said to be text is learnt as classes, spelled as in the file", async () => {
  const content = table((row) => `${row % 4},${row % 20 < 10 ? "few" : "many"},${row % 20 < 10 ? "1.0" : "2.50"}`);
  const dataset = await service.upload(content, { name: "labels", types: '{"label": "text"}' });
  expect(dataset.json).toMatchObject({ task: "classification" });
  const { predictions } = (await (await predictor(dataset.json.id))({ rows: [{ zip: 1, kg: "many" }] })).json;
  expect(predictions[0]).toMatchObject({ prediction: "2.50" });
});

test("names of digits that are said to be numbers are numbers", async () => {
  const content = table((row) => thing(row, `0${row}`));
  expect((await kept(content, "names")).types).toEqual(["number", "text", "text"]);
  const { types, rows } = await kept(content, "no names", { types: '{"kg": "number"}' });
  expect(types).toEqual(["number", "number", "text"]);
  expect(rows[7]![1]).toBe(7);
});

test.each([
  ["-999", "numbers as they are"],
  ['["-999", "none given"]', "a list"],
])("words for missing values that are said count as such, for the model too: %s", async (missing, name) => {
  const word = (row: number) => (missing.startsWith("[") && row % 20 === 0 ? "none given" : "-999");
  const content = table((row) => thing(row, row % 10 === 0 ? word(row) : String(kgOf(row))));
  const { id, types, understood, rows } = await kept(content, name, { missing });
  expect(types).toEqual(["number", "number", "text"]);
  expect(understood.missing).toContain("-999");
  expect(rows[10]![1]).toBeNull();
  const predict = await predictor(id);
  const [none, ...same] = (
    await predict({ rows: [{ kg: null }, { kg: -999 }, { kg: "-999" }].map((row) => ({ zip: 1, ...row })) })
  ).json.predictions;
  expect(same).toEqual([none, none]);
  const csv = await predict(`zip,kg\n1,${word(0)}\n1,-999\n`);
  expect(csv.json.predictions).toEqual([none, none]);
});

test("a word that is said to be missing is no class and no category", async () => {
  const content = table(
    (row) => `${row % 5 === 0 ? "k.A." : `p${row % 3}`},${row},${row % 50 === 7 ? "k.A." : row % 2 ? "x" : "y"}`,
  );
  const { id, rows, warnings } = await kept(content, "no class", { missing: "k.A." });
  expect(rows[0]![0]).toBeNull();
  expect(warnings).toMatchObject([{ code: "TARGET_ROWS_MISSING" }]);
  const predict = await predictor(id);
  const { predictions } = (await predict({ rows: [{ zip: "k.A.", kg: 1 }] })).json;
  expect(Object.keys(predictions[0].probabilities)).toEqual(["x", "y"]);
  expect(predictions[0].unknown).toBeUndefined();
});

test.each([
  ["-999", "-999.0"],
  ["-999.0", "-999"],
  ["-999", " -999"],
])("a number that is said to be missing is one however it is spelled: %s, written %s", async (missing, spelled) => {
  const content = table((row) => thing(row, row % 10 === 0 ? spelled : String(kgOf(row))));
  const { id, rows } = await kept(content, `spelled ${missing} ${spelled}`, { missing });
  expect([rows[10]![1], rows[11]![1]]).toEqual([null, 11.5]);
  const profile = () => service.call("GET", `/datasets/${id}`);
  await expect.poll(async () => (await profile()).json.profile?.[1]).toMatchObject({ missing: 20, min: 1.5 });
  const predict = await predictor(id);
  const sent = [null, -999, "-999", "-999.0"].map((kg) => ({ zip: 1, kg }));
  const [none, ...same] = (await predict({ rows: sent })).json.predictions;
  expect(same).toEqual([none, none, none]);
  const csv = await predict(`zip,kg\n1,${spelled}\n1,${missing}\n`);
  expect(csv.json.predictions).toEqual([none, none]);
});

test.each<[string, (kg: number) => string, string, string]>([
  ["dollars", (kg) => `$${kg}`, "-999", ","],
  ["decimal commas", (kg) => String(kg).replace(".", ","), "none given", ";"],
])(
  "the file that a model learned from is read by its words for missing values: %s",
  async (name, write, missing, delimiter) => {
    const lines = Array.from({ length: 200 }, (_, row) => [
      row % 4,
      row % 9 === 4 ? missing : write(kgOf(row)),
      row % 20 < 10 ? "light" : "heavy",
    ]);
    const written = [["zip", "kg", "label"], ...lines].map((line) => `${line.join(delimiter)}\n`).join("");
    const { id, types, warnings } = await kept(written, `words and ${name}`, { missing });
    expect([types, warnings]).toEqual([["number", "number", "text"], []]);
    const predict = await predictor(id);
    const asFile = await predict(written);
    expect(asFile.status, asFile.text).toBe(200);
    expect(asFile.text).not.toContain("unknown");
    const json = lines.map(([zip], row) => ({ zip, kg: row % 9 === 4 ? null : kgOf(row) }));
    expect(asFile.json.predictions).toEqual((await predict({ rows: json })).json.predictions);
  },
);

test("a number that stands for a missing value hides no name of digits", async () => {
  const content = (word: string) =>
    table((row) => thing(row, row === 60 ? "02134" : row % 9 === 4 ? word : String(10_000 + row)));
  for (const [word, said] of [
    ["NA", {}],
    ["-999", { missing: "-999" }],
  ] as const)
    expect((await kept(content(word), `names beside ${word}`, said)).types).toEqual(["number", "text", "text"]);
});

/** What DuckDB takes for a number and what it does not, where they stand. */
const odd = ["1_000", "inf", "NAN", "(5)", "−3", "abc", "\u00a05", "0.5.5"];
test.each([[3], [100]])(
  "strays are the same to the check and to the model, among the first rows and below them: from row %i",
  async (from) => {
    const kg = (row: number) => odd[row - from] ?? String(kgOf(row));
    const content = table((row) => thing(row, kg(row)));
    const { id, types } = await kept(content, `odd from ${from}`);
    expect(types).toEqual(["number", "number", "text"]);
    const predict = await predictor(id);
    const asFile = await predict(content);
    const unknown = asFile.json.predictions.flatMap((row: { unknown?: string[] }, at: number) =>
      row.unknown ? [kg(at)] : [],
    );
    expect(unknown).toEqual(["(5)", "−3", "abc", "\u00a05", "0.5.5"]);
    const rows = Array.from({ length: 200 }, (_, row) => ({ zip: row % 4, kg: kg(row) }));
    expect((await predict({ rows })).json).toEqual(asFile.json);
  },
);

test.each<[string, (kg: number) => string]>([
  ["plain", (kg) => String(kg)],
  ["dollars", (kg) => `$${kg}`],
  ["decimal commas", (kg) => `"${String(kg).replace(".", ",")}"`],
])("a column is one of numbers wherever its strays stand: %s", async (name, write) => {
  for (const at of [0, 10, 120]) {
    const { types, warnings, understood } = await kept(
      table((row) => thing(row, row === at ? "abc" : write(kgOf(row)))),
      `${name} ${at}`,
    );
    expect(understood.numberForms).toHaveLength(name === "plain" ? 0 : 1);
    expect([at, types]).toEqual([at, ["number", "number", "text"]]);
    expect(warnings).toMatchObject([{ code: "NUMBERS_AND_TEXT", line: at + 2, cell: "abc" }]);
  }
});

test("a column with a name of digits among numbers and a stray is text, and told", async () => {
  const cells = (row: number) => (row === 60 ? "abc" : row === 61 ? "007" : String(row * 3));
  const { types, warnings } = await kept(
    table((row) => thing(row, cells(row))),
    "a name and a stray",
  );
  expect(types).toEqual(["number", "text", "text"]);
  expect(warnings).toMatchObject([{ code: "NUMBERS_AND_TEXT", column: "kg", cell: "abc" }]);
});

test("types of all columns of a wide table can be said, and of many columns with strays none is passed over in silence", async () => {
  const names = Array.from({ length: 1_500 }, (_, place) => `column-${place}`);
  const row = (at: number) => names.map((_, place) => (place % 3 === 0 && at === 21 ? "abc" : String(at + place)));
  const content = [names, ...Array.from({ length: 40 }, (_, at) => row(at))]
    .map((cells) => `${cells.join(",")}\n`)
    .join("");
  const guessed = await service.upload(content, { name: "wide" });
  const typesOf = (answer: typeof guessed) => answer.json.understood.columns.map(({ type }: { type: string }) => type);
  expect(typesOf(guessed).filter((type: string) => type === "text")).toHaveLength(100);
  expect(guessed.json.warningCount).toBe(401);
  const types = JSON.stringify(Object.fromEntries(names.map((name) => [name, "number"])));
  const said = await service.upload(content, { name: "wide and said", types });
  expect(said.status, said.text.slice(0, 300)).toBe(201);
  expect(new Set(typesOf(said))).toEqual(new Set(["number"]));
});

test("a truth among numbers is a stray, in a table and in a row", async () => {
  const rows = Array.from({ length: 60 }, (_, row) => ({ zip: row === 40 ? true : row, label: row % 2 ? "x" : "y" }));
  const { json } = await service.upload(rows.map((row) => `${JSON.stringify(row)}\n`).join(""), { name: "truths" });
  expect(json.warnings).toMatchObject([{ code: "NUMBERS_AND_TEXT", cell: "true" }]);
  const { predictions } = (await (await predictor(json.id))({ rows: rows.slice(38, 42) })).json;
  expect(predictions.map(({ unknown }: { unknown?: string[] }) => unknown)).toEqual([
    undefined,
    undefined,
    ["zip"],
    undefined,
  ]);
});

test("an empty column is what it is said to be", async () => {
  for (const empty of ["", "NA"])
    expect(
      (
        await kept(
          table((row) => thing(row, empty)),
          `empty ${empty}`,
          { types: '{"kg": "number"}' },
        )
      ).types[1],
    ).toBe("number");
});

test("the same content read by other words or types is another dataset", async () => {
  const content = table((row) => thing(row, String(kgOf(row))));
  await kept(content, "once");
  expect((await service.upload(content, { name: "once", types: '{"zip": "text"}' })).json.code).toBe("DATASET_EXISTS");
  expect((await service.upload(content, { name: "once", missing: "-1" })).json.code).toBe("DATASET_EXISTS");
  expect((await service.upload(content, { name: "once", types: '{"zip": "number"}' })).status).toBe(200);
  await kept(content, "words", { missing: '["q", "r"]' });
  expect((await service.upload(content, { name: "words", missing: '["r", "q", "r"]' })).status).toBe(200);
});

test.each([
  ["types", "{", "no JSON"],
  ["types", '["text"]', "JSON object"],
  ["types", '{"kg": "weight"}', "number, text, date, time, boolean"],
  ["types", '{"kg": "date"}', "has dates, and it has none"],
  ["types", '{"kg": "boolean"}', "has booleans (true and false, yes and no), and it has other values"],
  ["types", '{"label": "boolean"}', "number or text"],
  ["dayFirst", "yes", '"true", "false"'],
  ["types", '{"weight": "text"}', "no such column"],
  ["types", '{"label": "number"}', "has none"],
  ["missing", "[1]", "JSON list"],
  ["missing", '["a\\nb"]', "control characters"],
  ["missing", "[", "no JSON"],
  ["missing", "none, given", "between cells"],
  ["missing", '["a\\"b"]', "quotes"],
  ["missing", '["\\ud800"]', "JSON list"],
])("what can't be meant is refused: %s=%s", async (field, value, words) => {
  const answer = await service.upload(
    table((row) => thing(row, String(kgOf(row)))),
    { [field]: value },
  );
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({ code: "FIELD_INVALID", detail: expect.stringContaining(words) });
});
