import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningService, startService } from "../support/service.ts";

let service: RunningService;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const day = 86_400_000;
const dayOf = (row: number): Date => new Date(Date.UTC(2023, 0, 1) + row * day);
const isoDay = (row: number): string => dayOf(row).toISOString().slice(0, 10);
const german = (row: number): string => isoDay(row).split("-").reverse().join(".");
/** Of two years, warmer in summer and on Sundays. */
const warmth = (row: number): string =>
  (10 - 12 * Math.cos(((row % 365) / 365) * 2 * Math.PI) + (dayOf(row).getUTCDay() === 0 ? 4 : 0)).toFixed(2);

const weather = (dateOf: (row: number) => string): string =>
  `day,noise,warmth\n${Array.from({ length: 730 }, (_, row) => `${dateOf(row)},${(row * 7919) % 13},${warmth(row)}\n`).join("")}`;

const predict = async (id: string, rows: readonly object[], query = "") =>
  service.call("POST", `/artifacts/${id}/predictions${query}`, { rows });

describe("a model of dates", () => {
  let artifactId: string;
  let run: Awaited<ReturnType<RunningService["train"]>>["json"];
  beforeAll(async () => {
    const sent = await service.upload(weather(german), { name: "weather" });
    expect(sent.json.understood).toMatchObject({
      dateForms: [{ column: 1, form: "31.01.2024" }],
      columns: [{ type: "date" }, { type: "number" }, { type: "number" }],
    });
    run = (await service.train(sent.json.id, { mode: "heavy" })).json;
    artifactId = run.artifactId;
  });

  test("learns from their parts, and says which", () => {
    expect(run.metrics.r2).toBeGreaterThan(0.95);
    expect(run.columns[0]).toEqual({
      name: "day",
      as: "date",
      missing: 0,
      imputed: 0,
      parts: ["year", "month", "day", "dayofweek", "days"],
    });
    expect(Object.keys(run.metrics.featureImportances)[0]).toBe("day");
  });

  test("takes them by ISO 8601 and as the table wrote them, in JSON and CSV alike", async () => {
    const [noise, row] = [1, 400];
    const answers = [
      await predict(artifactId, [{ day: isoDay(row), noise }]),
      await predict(artifactId, [{ day: german(row), noise }]),
      await predict(artifactId, [{ day: `${isoDay(row)}T00:00:00Z`, noise }]),
      await service.call("POST", `/artifacts/${artifactId}/predictions`, `day,noise\n${german(row)},1\n`, {
        "content-type": "text/csv",
      }),
      await service.call("POST", `/artifacts/${artifactId}/predictions`, `day;noise\n${isoDay(row)};1\n`, {
        "content-type": "text/csv",
      }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const [first, ...others] = answers.map(({ json }) => json.predictions);
    expect(Math.abs(first[0].prediction - Number(warmth(row)))).toBeLessThan(3);
    expect(others).toEqual(others.map(() => first));
    const [winter, summer] = (
      await predict(
        artifactId,
        [isoDay(5), isoDay(190)].map((each) => ({ day: each, noise })),
      )
    ).json.predictions;
    expect(summer.prediction - winter.prediction).toBeGreaterThan(15);
  });

  test("takes a missing one, and refuses what is none by row and column", async () => {
    for (const day of [null, "", " "]) expect((await predict(artifactId, [{ day, noise: 1 }])).status).toBe(200);
    for (const none of ["soon", "2024-02-30", "31/12/2024", 20240131, true]) {
      const { status, json } = await predict(artifactId, [
        { day: isoDay(1), noise: 1 },
        { day: none, noise: 1 },
      ]);
      expect([status, json.code]).toEqual([400, "PREDICTION_INPUT_INVALID"]);
      expect(json.detail).toMatch(/Row 2: column "day" must be a date as 31\.01\.2024 or 2024-01-31/);
    }
  });

  test("refuses nested ones by row and column, whatever they hold and however deep they are", async () => {
    const deep = `{"rows":[{"day":${"[".repeat(100_000)}${"]".repeat(100_000)},"noise":1}]}`;
    const answers = [
      await predict(artifactId, [{ day: { toString: 1, valueOf: 1 }, noise: 1 }]),
      await predict(artifactId, [{ day: [isoDay(1)], noise: 1 }]),
      await service.call("POST", `/artifacts/${artifactId}/predictions`, deep, { "content-type": "application/json" }),
    ];
    expect(answers.map(({ status, json }) => [status, json.detail])).toEqual(
      ["an object", "a list", "a list"].map((kind) => [400, `Row 1: column "day" must be a date, not ${kind}.`]),
    );
  });

  test("describes what it takes", async () => {
    const { json: artifact } = await service.call("GET", `/artifacts/${artifactId}`);
    expect(artifact.input.features[0]).toEqual({
      name: "day",
      type: "date",
      from: expect.any(String),
      to: expect.any(String),
    });
    expect(artifact.input.example.day).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });
});

describe("months by name", () => {
  const names = "January February March April May June July August September October November December".split(" ");
  const partsOf = (row: number) => {
    const [year, month, date] = isoDay(row).split("-");
    return { year: year!, name: names[Number(month) - 1]!, date: String(Number(date)) };
  };
  /** In short or in full, as people mix them. */
  const british = (row: number): string => {
    const { year, name, date } = partsOf(row);
    return `${date} ${row % 2 ? name : name.slice(0, 3).toLowerCase()} ${year}`;
  };
  const american = (row: number): string => {
    const { year, name, date } = partsOf(row);
    return `"${row % 3 ? name : name.slice(0, 3)} ${date}, ${year} 2:30 PM"`;
  };
  const oracle = (row: number): string => {
    const { year, name, date } = partsOf(row);
    return `${date.padStart(2, "0")}-${name.slice(0, 3).toUpperCase()}-${year.slice(2)}`;
  };

  test.each([
    ["before the year", british, "31 Jan 2024", ""],
    ["before the day", american, "Jan 31, 2024 2:30 PM", "T14:30:00"],
    ["between hyphens", oracle, "31-Jan-24", ""],
  ] as const)("are dates, shown, learnt from and predicted by: %s", async (name, written, form, time) => {
    const sent = await service.upload(weather(written), { name });
    expect(sent.json.understood).toMatchObject({
      dateForms: [{ column: 1, form }],
      columns: [{ type: "date" }, {}, {}],
    });
    expect(sent.json.warnings).toEqual([]);
    const shown = async () =>
      (await service.call("GET", `/datasets/${sent.json.id}/rows?limit=100`)).json.rows.map(([day]: [string]) => day);
    const days = Array.from({ length: 100 }, (_, row) => `${isoDay(row)}${time}`);
    expect(await shown()).toEqual(days);
    // Once more from the typed copy.
    await expect
      .poll(async () => (await service.call("GET", `/datasets/${sent.json.id}`)).json.typedBytes, { timeout: 60_000 })
      .toBeGreaterThan(0);
    expect(await shown()).toEqual(days);

    const { json: run } = await service.train(sent.json.id, { mode: "heavy" });
    expect(run.metrics.r2).toBeGreaterThan(0.9);
    expect(run.columns[0]).toMatchObject({ as: "date", missing: 0 });
    const row = 400;
    const asked = [
      `${isoDay(row)}${time}`,
      written(row).replaceAll('"', ""),
      written(row).replaceAll('"', "").toUpperCase(),
    ];
    const inJson = await predict(
      run.artifactId,
      asked.map((day) => ({ day, noise: 1 })),
    );
    const inCsv = await service.call(
      "POST",
      `/artifacts/${run.artifactId}/predictions`,
      `day,noise\n${asked.map((day) => `"${day}",1\n`).join("")}`,
      { "content-type": "text/csv" },
    );
    const [first] = inJson.json.predictions;
    expect(Math.abs(first.prediction - Number(warmth(row)))).toBeLessThan(4);
    expect([inJson.json.predictions, inCsv.json.predictions]).toEqual(
      [asked, asked].map((each) => each.map(() => first)),
    );
    const none = await predict(run.artifactId, [{ day: "31 Feb 2024", noise: 1 }]);
    expect(none.json.detail).toContain(`must be a date as ${form} or 2024-01-31`);

    const { json: schema } = await service.call("GET", `/artifacts/${run.artifactId}/schema?of=row`);
    const { description, examples, pattern } = schema.properties.day;
    expect(description).toContain(`Learnt from 2023-01-01`);
    expect(examples[0]).toMatch(new RegExp(pattern));
  });

  test("strays between them are told, and months without a day are text", async () => {
    const stray = await service.upload(
      weather((row) => (row === 300 ? "Jan 2024" : british(row))),
      { name: "a month" },
    );
    expect(stray.json.warnings).toMatchObject([{ code: "DATES_AND_TEXT", column: "day", line: 302, cell: "Jan 2024" }]);
    for (const [place, month] of [
      (row: number) => `${partsOf(row).name.slice(0, 3)} ${partsOf(row).year}`,
      (row: number) => `${partsOf(row).year}-${partsOf(row).name.slice(0, 3)}`,
      (row: number) => partsOf(row).name,
      (row: number) => (row % 2 ? british(row) : american(row)),
    ].entries()) {
      const { json } = await service.upload(weather(month), { name: `months ${place}` });
      expect(json.understood.columns[0].type).toBe("text");
    }
  });
});

test("a linear model takes the mean of the parts for a missing date, and says how often", async () => {
  const rows = (row: number): string => (row % 10 === 3 ? "NA" : isoDay(row));
  const sent = await service.upload(weather(rows), { name: "gaps" });
  const { json: run } = await service.train(sent.json.id, { mode: "light" });
  expect(run.columns[0]).toMatchObject({ as: "date", missing: 73, imputed: 73 });
  expect((await predict(run.artifactId, [{ day: null, noise: 1 }])).status).toBe(200);
});

test("the hour and the second count of times that lie close together", async () => {
  const start = Date.UTC(2024, 4, 1) / 1_000;
  const rows = Array.from({ length: 200 }, (_, row) => `${start + row * 600},${row < 100 ? "early" : "late"}\n`);
  const sent = await service.upload(`created_at,phase\n${rows.join("")}`, { name: "log" });
  const { json: run } = await service.train(sent.json.id, { mode: "heavy" });
  expect(run.columns[0]).toMatchObject({ as: "date", parts: ["day", "dayofweek", "hour", "days"] });
  expect(run.metrics.accuracy).toBeGreaterThan(0.95);
  const asked = [start, start + 199 * 600].map((at) => ({ created_at: at }));
  const { json } = await predict(run.artifactId, [...asked, { created_at: "2024-05-01T00:00:00+00:00" }]);
  expect(json.predictions.map(({ prediction }: { prediction: string }) => prediction)).toEqual([
    "early",
    "late",
    "early",
  ]);
});

test("strays between dates are missing, told with their line, and unknown in predictions", async () => {
  const sent = await service.upload(
    weather((row) => (row === 300 ? "soon" : isoDay(row))),
    { name: "strays" },
  );
  expect(sent.json.warnings).toMatchObject([{ code: "DATES_AND_TEXT", column: "day", line: 302, cell: "soon" }]);
  expect(sent.json.warnings[0].message).toContain("1 of 730 are no dates");
  const { json: run } = await service.train(sent.json.id, { mode: "heavy" });
  expect(run.columns[0]).toMatchObject({ as: "date", missing: 1 });
  const { json } = await predict(run.artifactId, [{ day: "later", noise: 1 }]);
  expect(json.predictions[0].unknown).toEqual(["day"]);
  expect((await predict(run.artifactId, [{ day: "later", noise: 1 }], "?strict=true")).status).toBe(400);
});

test("its sender says what the values can't: which is the day, and that a column is none of dates", async () => {
  const slashed = (row: number): string => `${(row % 12) + 1}/${((row * 5) % 12) + 1}/2024`;
  const asked = await service.upload(weather(slashed), { name: "either" });
  expect(asked.json).toMatchObject({ code: "DATE_ORDER_UNKNOWN", detail: expect.stringContaining("as «1/1/2024»") });
  const shown = async (fields: Record<string, string>) => {
    const { json } = await service.upload(weather(slashed), { name: JSON.stringify(fields), ...fields });
    const page = (await service.call("GET", `/datasets/${json.id}/rows?limit=3`)).json;
    return [json.understood.columns[0].type, page.rows[1][0]];
  };
  expect(await shown({ dayFirst: "true" })).toEqual(["date", "2024-06-02"]);
  expect(await shown({ dayFirst: "false" })).toEqual(["date", "2024-02-06"]);
  expect(await shown({ types: '{"day": "text"}' })).toEqual(["text", "2/6/2024"]);
  const again = await service.upload(weather(slashed), { name: '{"dayFirst":"true"}', dayFirst: "false" });
  expect(again.json.code).toBe("DATASET_EXISTS");
});

test("a table that is sent again is the same, in whatever form its dates are", async () => {
  const day = (row: number): string => `${isoDay(row)}`.slice(2).split("-").toReversed().join("/");
  const forms = [
    (row: number) => `${isoDay(row)}T10:00:00Z`,
    (row: number) => `${isoDay(row)} 10:00:00+01:00`,
    (row: number) => `${day(row)} 2:30 PM`,
    (row: number) => `${day(row)} 14:30 +01:00`,
  ];
  for (const [place, form] of forms.entries()) {
    const said = { name: `again ${place}`, delimiter: "," };
    const sent = await service.upload(weather(form), said);
    expect([sent.status, sent.json.understood.columns[0].type]).toEqual([201, "date"]);
    const again = await service.upload(weather(form), said);
    expect([again.status, again.json.id]).toEqual([200, sent.json.id]);
    expect(again.json.understood.columns[0].examples).toEqual(sent.json.understood.columns[0].examples);
  }
});

test("the profile tells the first and the last by ISO 8601", async () => {
  const sent = await service.upload(weather(german), { name: "profiled" });
  await expect
    .poll(async () => (await service.call("GET", `/datasets/${sent.json.id}`)).json.profile?.[0], { timeout: 60_000 })
    .toMatchObject({ type: "date", min: "2023-01-01", max: "2024-12-30", missing: 0, distinct: 730 });
});

test("a date is no quantity to predict", async () => {
  const sent = await service.upload(weather(isoDay), { name: "target" });
  const { status, json } = await service.train(sent.json.id, { target: "day", task: "regression" });
  expect([status, json.code]).toEqual([400, "TARGET_NOT_NUMERIC"]);
  expect(json.detail).toContain("holds dates");
});

test("the example of a leap day is one by the schema, too", async () => {
  const days = ["2024-02-28", "2024-02-29", "2024-03-01"];
  const rows = Array.from({ length: 60 }, (_, row) => `${days[row % 3]},${row % 2 ? "a" : "b"}\n`);
  const sent = await service.upload(`day,y\n${rows.join("")}`, { name: "leap" });
  const { json: run } = await service.train(sent.json.id);
  const { json: schema } = await service.call("GET", `/artifacts/${run.artifactId}/schema?of=row`);
  const { pattern, examples } = schema.properties.day;
  expect(examples).toEqual(["2024-02-29"]);
  const isDay = (year: string): boolean => new RegExp(pattern).test(`${year}-02-29`);
  const isLeap = (year: number): boolean => new Date(Date.UTC(year, 1, 29)).getUTCDate() === 29;
  for (let year = 1_000; year < 10_000; year++) expect([year, isDay(String(year))]).toEqual([year, isLeap(year)]);
});

test("unix times may have a fraction of nothing, as pandas writes them beside a missing one", async () => {
  const rows = Array.from({ length: 60 }, (_, row) => `${1_706_659_200 + row * 86_400},${row % 2 ? "a" : "b"}\n`);
  const sent = await service.upload(`created_at,y\n${rows.join("")}`, { name: "unix" });
  const { json: run } = await service.train(sent.json.id);
  const { json } = await service.call(
    "POST",
    `/artifacts/${run.artifactId}/predictions`,
    'created_at\n1706659200.0\n1706659200\n""\n',
    { "content-type": "text/csv" },
  );
  expect(json.predictions).toHaveLength(3);
  expect(json.predictions[0]).toEqual(json.predictions[1]);
});

test("day and month can be said of a table that was sent before", async () => {
  const rows = Array.from({ length: 60 }, (_, row) => `0${(row % 9) + 1}/05/2024,${row % 2}\n`);
  const content = `day,y\n${rows.join("")}`;
  const { id } = (await service.upload(content, { name: "said later", types: '{"day":"text"}' })).json;
  const correct = (correction: object) => service.call("PATCH", `/datasets/${id}`, correction);
  expect((await correct({ types: null })).json.code).toBe("DATE_ORDER_UNKNOWN");
  for (const [dayFirst, second] of [
    [true, "2024-05-02"],
    [false, "2024-02-05"],
  ] as const) {
    const { json } = await correct({ types: null, dayFirst });
    expect([json.said, json.understood.columns[0].type]).toEqual([{ dayFirst }, "date"]);
    expect((await service.call("GET", `/datasets/${id}/rows?limit=2`)).json.rows[1][0]).toBe(second);
  }
  expect((await correct({ dayFirst: null })).json.code).toBe("DATE_ORDER_UNKNOWN");
});
