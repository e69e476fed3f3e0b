import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { duckdbSniffs, type Sniffed } from "../../support/duckdb-sniffs.ts";
import { readFixture, type TableFixture, tableFixtures } from "../../support/table-fixtures.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/tables.md"), "utf8");
const [, section = ""] = page.split("\n## Where other readers differ\n");

/** What the page says of each file: how DuckDB and how pandas reads it. */
const said = new Map(
  [...section.matchAll(/^\| (`.*?`) \| (.*?) \| (.*?) \| .* \|$/gm)].flatMap(
    ([, files = "", duckdb = "", pandas = ""]) =>
      [...files.matchAll(/`([^`]+)`/g)].map(([, file = ""]) => [file, { duckdb, pandas }] as const),
  ),
);

// What is compressed is the same table once more.
const csvFiles = tableFixtures.filter(
  ({ file, understood }) => understood?.format === "csv" && !/\.(gz|zst)$|gzip/.test(file),
);

const textOf = ({ file, understood }: TableFixture): string =>
  new TextDecoder(String(understood!.encoding)).decode(readFixture(file));

function isAlike(fixture: TableFixture, sniffed: Sniffed | string): boolean {
  if (typeof sniffed === "string") return false;
  const { delimiter } = fixture.understood!;
  const isCutAlike = delimiter === undefined || delimiter === sniffed.delimiter;
  const ours = JSON.stringify([Object.entries(fixture.columns!), fixture.rows]);
  return isCutAlike && ours === JSON.stringify([sniffed.columns, sniffed.rows]);
}

test("the page names each file that DuckDB's sniffer takes for another table, and no other", async () => {
  const sniffs = await duckdbSniffs(csvFiles.map(textOf));
  const different = csvFiles.filter((fixture, index) => !isAlike(fixture, sniffs[index]!)).map(({ file }) => file);
  const told = [...said].filter(([, { duckdb }]) => duckdb !== "alike").map(([file]) => file);
  expect(told.sort()).toEqual(different.sort());
  // Some are alike, or nothing was compared.
  expect(csvFiles.length).toBeGreaterThan(2 * told.length);
});

test("each file of the page differs for somebody, and is one of ours", () => {
  expect([...said].filter(([, { duckdb, pandas }]) => duckdb === "alike" && pandas === "alike")).toEqual([]);
  const files = csvFiles.map(({ file }) => file);
  expect([...said.keys()].filter((file) => !files.includes(file))).toEqual([]);
});
