import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeTexts } from "../../../src/models/text-codes.ts";
import { loadTable } from "../../../src/training/load-table.ts";
import { type CsvChecks, openCsvChecks } from "../../support/csv-checks.ts";

let checks: CsvChecks;
beforeAll(async () => {
  checks = await openCsvChecks();
});
afterAll(() => checks.close());

describe("a first line that names nothing", () => {
  test.each([
    ["numbers and a class", "5.1,3.5,setosa\n4.9,3.0,setosa\n6.2,2.9,virginica\n"],
    ["decimal commas", "5,1;setosa\n4,9;setosa\n6,2;virginica\n"],
    ["dollars", "$5,setosa\n$4,setosa\n$6,virginica\n"],
  ])("is told from a header: %s", async (_what, content) => {
    const fault = await checks.refusal(content);
    expect([fault.code, fault.message]).toEqual(["HEADER_MISSING", expect.stringContaining("looks like the rows")]);
  });

  test.each([
    ["years as names", "2024,2025,label\n1,2,x\n3,4,y\n"],
    ["a name that is a value, too", "a,x\n1,x\n2,y\n"],
    ["texts alone", "yes,no\nyes,no\nno,yes\n"],
  ])("and a header may be of any names: %s", async (_what, content) => {
    expect((await checks.check(content)).rowCount).toBe(2);
  });
});

describe("columns without a name", () => {
  test.each([
    ["an index before the others", ",a,label\n0,1,x\n1,2,y\n"],
    ["names of rows", '"","a","label"\n"Anna",1,x\n"Ben",2,y\n'],
    ["a delimiter at the end of each line", "a,label,\n1,x,\n2,y,\n"],
    ["an empty one between others", "a,,label\n1,,x\n2,,y\n"],
    ["all of that, with a mark before a quote", '\uFEFF"","a","","label",""\n0,1,,x,\n1,2,"",y,\n'],
  ])("are left out: %s", async (_what, content) => {
    const { columns, dialect } = await checks.check(content);
    expect(columns).toMatchObject([
      { name: "a", type: "number" },
      { name: "label", type: "text" },
    ]);
    const table = await loadTable(checks.path, columns, { dialect });
    expect(table.columns).toEqual([
      { name: "a", kind: "number", numbers: Float64Array.of(1, 2) },
      { name: "label", kind: "text", ...codeTexts(["x", "y"]) },
    ]);
  });

  test("but for one with values that is not the first: it is named by its place", async () => {
    const fault = await checks.refusal(`a,,label\n${"1,,x\n".repeat(100)}2,3,y\n`);
    expect([fault.code, fault.message]).toEqual([
      "COLUMN_NAMES_INVALID",
      expect.stringContaining("Column 2 has no name"),
    ]);
  });
});
