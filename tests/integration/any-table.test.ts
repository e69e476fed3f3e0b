import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AnyFile, anyFile, bytesOf, shown } from "../support/any-file.ts";
import { type RunningService, startService } from "../support/service.ts";

/** More on request; each takes a fifth of a second. */
const tables = Number(process.env.ANY_TABLES ?? 60);

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

test("any table reads back as it was, however it is written", async () => {
  await fc.assert(
    fc.asyncProperty(anyFile({ rows: 24, pool: 20 }), async (file) => {
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
});
