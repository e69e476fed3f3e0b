import { expect, test } from "vitest";
import { boundRows, sizeOfPage } from "../../../src/datasets/rows/rows-page.ts";

const most = 256 * 1024;
const bytesOf = (page: unknown) => Buffer.byteLength(JSON.stringify(page));

test.each([
  [20, 5, { rows: 20, cellLength: 1000 }],
  [100, 10, { rows: 100, cellLength: 1000 }],
  [100, 200, { rows: 100, cellLength: 50 }],
  [100, 2000, { rows: 10, cellLength: 50 }],
  [1, 2000, { rows: 1, cellLength: 500 }],
])("of %s rows of %s columns are read %j", (limit, columns, size) => {
  expect(sizeOfPage(limit, columns)).toEqual(size);
});

test("numbers, texts and what is missing are shown as they are, and no number that JSON has no word for", () => {
  const page = boundRows([[1.5, "x", null, Number.NaN, Number.POSITIVE_INFINITY, ""]], { firstRow: 1, cellLength: 10 });
  expect(page).toEqual({ rows: [[1.5, "x", null, null, null, ""]], cut: [] });
});

test("a long cell is cut between characters, and told by row and column", () => {
  const page = boundRows(
    [
      ["ab😀", 1],
      ["abc", "abcd"],
    ],
    { firstRow: 41, cellLength: 3 },
  );
  expect(page.rows).toEqual([
    ["ab", 1],
    ["abc", "abc"],
  ]);
  expect(page.cut).toEqual([
    { row: 41, column: 1 },
    { row: 42, column: 2 },
  ]);
});

test("rows that don't fit any more are left to the next page", () => {
  const row = Array.from({ length: 100 }, () => "é".repeat(500));
  const page = boundRows([row, row, row, row], { firstRow: 1, cellLength: 1000 });
  expect(page.rows).toEqual([row, row]);
});

test.each(["a", "\u0001", "猫", "😀", '"'])(
  "of a first row of %j that does not fit less is shown of each cell",
  (sign) => {
    const row = Array.from({ length: 2000 }, () => sign.repeat(501));
    const page = boundRows([row, row], { firstRow: 1, cellLength: 500 });
    expect(page.rows).toHaveLength(1);
    expect(page.cut).toHaveLength(2000);
    expect(bytesOf(page)).toBeLessThanOrEqual(most + 100);
    expect(page.rows[0]![1999]).toMatch(new RegExp(`^(${sign}){8,}$`, "u"));
  },
);
