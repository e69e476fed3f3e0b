import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DomainError } from "../../../src/errors.ts";
import { readHead } from "../../../src/tables/csv-head.ts";
import { writtenTable } from "../../support/csv-tables.ts";
import { faultOf } from "../../support/fault-of.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "csv-head-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function headerOf(content: string | Uint8Array): Promise<string[]> {
  const path = join(folder, "file.csv");
  await writeFile(path, content);
  return (await readHead(path)).names;
}

test("names come back as they were written, however they were quoted", async () => {
  await fc.assert(
    fc.asyncProperty(writtenTable, async ({ names, text }) => {
      expect(await headerOf(text)).toEqual(names);
    }),
  );
});

test("any bytes are names that tell columns apart, or a fault with its code", async () => {
  const csvLike = fc.string({
    unit: fc.constantFrom("a", "b", "1", ",", '"', "\n", "\r", " ", "\uFEFF", "ä"),
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(csvLike, fc.uint8Array({ maxLength: 50 })), async (content) => {
      const names = await headerOf(content).catch((error: unknown) => {
        expect(error).toBeInstanceOf(DomainError);
        expect(["HEADER_MISSING", "COLUMN_NAMES_INVALID", "TOO_FEW_COLUMNS"]).toContain((error as DomainError).code);
        return undefined;
      });
      if (names === undefined) return;
      expect(names.length).toBeGreaterThan(1);
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) expect(name).toBe(name.trim() || "a name");
    }),
    { numRuns: 500 },
  );
});

test("names are trimmed", async () => {
  expect(await headerOf(' a ,"b ",\tc\n1,2,3\n')).toEqual(["a", "b", "c"]);
});

test.each([
  ["an empty file", "", "HEADER_MISSING"],
  ["a lone byte order mark", "\uFEFF", "HEADER_MISSING"],
  ["blank lines alone", "\n \n\r\n", "HEADER_MISSING"],
  ["only separators", ",,\n1,2,3\n", "HEADER_MISSING"],
  ["numbers", "1,2.5,-3e4\n1,2,3\n", "HEADER_MISSING"],
  ["a quote that stays open", '"a,b\n1,2\n', "HEADER_MISSING"],
  ["text after a closing quote", '"a"x,b\n1,2\n3,4\n', "HEADER_MISSING"],
  ["a line that does not end", `a,${"b".repeat(300_000)}\n1,2\n`, "HEADER_MISSING"],
  ["colons", "a:b:c\n1:2:3\n", "TOO_FEW_COLUMNS"],
  ["the same name twice", 'a,b,"a "\n', "COLUMN_NAMES_INVALID"],
  ["one column with a name", ",a,\n1,2,3\n", "TOO_FEW_COLUMNS"],
  [
    "too many columns",
    `${Array.from({ length: 2_001 }, (_, column) => `c${column}`).join()}\n`,
    "COLUMN_NAMES_INVALID",
  ],
])("%s", async (_what, content, code) => {
  expect((await faultOf(() => headerOf(content))).code).toBe(code);
});

test("a lone header is a header, and so is one with a number among names", async () => {
  expect(await headerOf("a,b")).toEqual(["a", "b"]);
  expect(await headerOf("a,1\n")).toEqual(["a", "1"]);
});
