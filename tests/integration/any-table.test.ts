import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AnyFile, anyFile, bytesOf, objectsOf, shown } from "../support/any-file.ts";
import { type RunningService, startService } from "../support/service.ts";

/** More on request. One that fails is made smaller by some hundred others. */
const tables = Number(process.env.ANY_TABLES ?? 60);
const timeoutMs = (tables + 500) * 10_000;

let service: RunningService;

beforeAll(async () => {
  service = await startService({ env: { MAX_EMPTY_RATIO: "1" } });
});
afterAll(() => service.stop());

let sent = 0;
async function upload(file: AnyFile) {
  sent += 1;
  const answer = await service.upload(await bytesOf(file), { ...file.fields, name: `table ${sent}` });
  expect(answer.status, answer.text).toBe(201);
  return answer.json;
}

// Four rows tell little of how they are written; of seventy only the first are looked at.
const anyOne = fc.constantFrom(4, 24, 70).chain((rows) => anyFile({ rows, pool: Math.min(rows, 20) }));

test(
  "any table reads back as it was, however it is written",
  async () => {
    await fc.assert(
      fc.asyncProperty(anyOne, async (file) => {
        const { id, warnings } = await upload(file);
        const page = await service.call("GET", `/datasets/${id}/rows?limit=100`);
        const { columns, rows } = page.json;
        expect({ columns, rows }).toEqual(shown(file.table));
        const codes = warnings.map(({ code }: { code: string }) => code);
        // What would say that something of the file is none of the table.
        expect(codes.filter((code: string) => /LINES_LEFT_OUT|ENCODING_GUESSED/.test(code))).toEqual([]);
        await service.call("DELETE", `/datasets/${id}`);
      }),
      { numRuns: tables },
    );
  },
  timeoutMs,
);

test("a model reads the file that it was trained on as it reads the same rows in JSON", async () => {
  // Each value often enough for a model to know it; a CSV for predictions has no fields that would say how it is written.
  const kilos = { name: "kilos", type: "number" as const, cells: Array.from({ length: 60 }, (_, row) => row % 9) };
  const learnable = anyFile({ rows: 60, pool: 3, more: [kilos] }).filter(
    ({ manner, fields }) => manner.format === "csv" && fields.delimiter === undefined && fields.decimal === undefined,
  );
  await fc.assert(
    fc.asyncProperty(learnable, async (file) => {
      const { id } = await upload({ ...file, manner: { ...file.manner, compression: "none" } });
      const run = await service.train(id);
      expect(run.json.status, JSON.stringify(run.json.error)).toBe("succeeded");
      const predict = (body: unknown, type: string) =>
        service.call("POST", `/artifacts/${run.json.artifactId}/predictions?strict=true`, body, {
          "content-type": type,
        });
      const charset = file.fields.encoding ?? "utf-8";
      const bytes = await bytesOf({ ...file, manner: { ...file.manner, compression: "none" } });
      const asFile = await predict(bytes, `text/csv; charset=${charset}`);
      expect(asFile.status, asFile.text).toBe(200);
      const asJson = await predict(`{"rows":[${objectsOf(file.table)}]}`, "application/json");
      expect(asFile.json.predictions).toEqual(asJson.json.predictions);
      expect(asFile.json.predictions).toHaveLength(60);
    }),
    // To make it smaller would train some hundred models.
    { numRuns: Math.ceil(tables / 20), endOnFailure: true },
  );
});
