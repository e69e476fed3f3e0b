import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, type RunningService, startService } from "../support/service.ts";
import { fixturePath, readFixture, type TableFixture, tableFixtures } from "../support/table-fixtures.ts";

let service: RunningService;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

test("each file stands in the index once", () => {
  const files = readdirSync(fixturePath(".")).filter((file) => file !== "index.json");
  expect(tableFixtures.map(({ file }) => file).sort()).toEqual(files.sort());
});

const upload = (content: Buffer | string, { file, fields }: Pick<TableFixture, "file" | "fields">) =>
  service.upload(content, { name: `${file} ${JSON.stringify(fields ?? {})}`, ...fields }, file);

const refusedOnes = tableFixtures.filter(({ refused }) => refused !== undefined);

test.each(refusedOnes)("$file is refused: $about", async ({ refused, ...fixture }) => {
  const { json } = await upload(readFixture(fixture.file), fixture);
  expect(json).toMatchObject({ code: refused!.code });
  for (const words of refused!.says) expect(json.detail).toContain(words);
});

const understoodOnes = tableFixtures.filter(({ understood }) => understood !== undefined);

test.each(understoodOnes)("$file is understood: $about", async (fixture) => {
  const content = readFixture(fixture.file);
  const { json, status, text } = await upload(content, fixture);
  expect(status, text).toBe(201);
  const { target, rows, understood, warnings } = json;
  expect(understood).toMatchObject(fixture.understood!);
  const read = understood.columns.filter(({ role }: { role: string }) => role !== "left out");
  expect({
    columns: read.map(({ name, type }: { name: string; type: string }) => [name, type]),
    codes: warnings.map(({ code }: { code: string }) => code).sort(),
    rows,
    target,
  }).toEqual({
    columns: Object.entries(fixture.columns!),
    codes: [...fixture.warnings!].sort(),
    rows: fixture.rows,
    target: fixture.target,
  });
  const page = (await service.call("GET", `/datasets/${json.id}/rows?limit=100`)).json;
  if (fixture.first !== undefined) expect(page.rows[0]).toEqual(fixture.first);
  await trainAndPredict(fixture, json, page);
  // Counted by the check in one pass of text, and by the profile in typed columns.
  const profile = await eventually(async () => {
    const { profile, profileFault } = (await service.call("GET", `/datasets/${json.id}`)).json;
    expect(profileFault).toBeNull();
    return profile ?? undefined;
  });
  const missingOf = (columns: { name: string; missing: number }[]) =>
    columns.map(({ name, missing }) => [name, missing]);
  expect(missingOf(understood.columns.filter(({ name }: { name: string }) => name !== ""))).toEqual(missingOf(profile));
});

const wide = (columns: number): string => {
  const line = (cell: (place: number) => string) => `${Array.from({ length: columns }, (_, place) => cell(place))}\n`;
  const rows = Array.from({ length: 20 }, (_, row) => line((place) => String((row * (place + 3)) % (place + 2))));
  return line((place) => `c${place}`) + rows.join("");
};

test("too many columns are refused, with how many there may be", async () => {
  const { json } = await upload(wide(10_000), { file: "10,000 columns.csv" });
  expect(json).toMatchObject({ code: "COLUMN_NAMES_INVALID", detail: expect.stringContaining("2000 columns") });
});

test("a name of 10,000 letters is kept whole", async () => {
  const name = "ö".repeat(10_000);
  const { json } = await upload(wide(3).replace("c1", name), { file: "long name.csv" });
  expect(json.understood.columns[1]).toMatchObject({ name, type: "number" });
});

/** A model of it reads the rows that are shown, and the file itself where that is a CSV of which nothing has to be said. */
async function trainAndPredict(
  { trains, fields = {}, understood, file }: TableFixture,
  { id, understood: { encoding } }: { id: string; understood: { encoding: string } },
  page: { columns: { name: string }[]; rows: unknown[][] },
): Promise<void> {
  const { json: run } = await service.train(id);
  if (trains !== undefined) {
    expect(run.code ?? run.error.code).toBe(trains);
    return;
  }
  expect(run.status, JSON.stringify(run.error)).toBe("succeeded");
  const predict = (body: unknown, type: string) =>
    service.call("POST", `/artifacts/${run.artifactId}/predictions`, body, { "content-type": type });
  const rows = page.rows.map((cells) =>
    Object.fromEntries(page.columns.map(({ name }, place) => [name, cells[place]]).filter(([, cell]) => cell !== null)),
  );
  const asJson = await predict({ rows }, "application/json");
  expect(asJson.status, asJson.text).toBe(200);
  expect(asJson.json.predictions).toHaveLength(rows.length);
  const isPlain = understood!.format === "csv" && !/\.(gz|zst)$|gzip/.test(file);
  if (!isPlain || fields.delimiter) return;
  const asFile = await predict(readFixture(file), fields.encoding ? `text/csv; charset=${encoding}` : "text/csv");
  expect(asFile.status, asFile.text).toBe(200);
  expect(asFile.json.predictions.slice(0, rows.length)).toEqual(asJson.json.predictions);
}
