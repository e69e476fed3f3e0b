import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { looksOf } from "../../../src/tables/column-looks.ts";
import { type Delimiter, plainDialect } from "../../../src/tables/dialect.ts";
import { missingNumbers, missingWords } from "../../../src/tables/missing.ts";
import { exampleOf, isAffix, matcherOf, type NumberForm, toPlainNumeral } from "../../../src/tables/number-form.ts";

interface Around {
  readonly delimiter?: Delimiter;
  readonly decimal?: "." | ",";
  /** A cell of another column, the same in each row. */
  readonly beside?: string;
  readonly isForModel?: boolean;
}

/** What the first column of these cells is read as, number by number; undefined where it is text. */
function read(cells: readonly string[], around: Around = {}): number[] | undefined {
  const { delimiter = ",", decimal = ".", beside = "x", isForModel = false } = around;
  const dialect = { ...plainDialect, delimiter, decimal, missing: missingWords, missingNumbers };
  const { looks, forms } = looksOf(
    cells.map((cell) => [cell, beside]),
    2,
    { dialect, isForModel },
  );
  const form = forms[0];
  expect(looks[0] === "numbers of a form").toBe(form !== undefined);
  if (form === undefined) return undefined;
  return cells.filter((cell) => cell !== "" && cell !== "NA").map((cell) => Number(toPlainNumeral(cell.trim(), form)));
}

describe("a column is one of numbers", () => {
  test.each<[string, string[], number[], Around?]>([
    ["thousands by commas", ["1,234.50", "950.25"], [1234.5, 950.25]],
    ["millions by commas", ["1,234,567", "950"], [1_234_567, 950]],
    ["commas before three digits, in quotes", ["1,234", "950"], [1234, 950]],
    ["the same beside decimal points", ["1,234", "950"], [1234, 950], { delimiter: ";", beside: "1.5" }],
    ["the same beside decimal commas", ["1,234", "95,500"], [1.234, 95.5], { beside: "1,5" }],
    ["thousands by points", ["1.234,50", "950,25"], [1234.5, 950.25], { delimiter: ";" }],
    ["points before three digits where the comma is usual", ["1.234", "950"], [1234, 950], { decimal: "," }],
    ["millions by points", ["1.234.567", "950"], [1_234_567, 950], { delimiter: ";" }],
    ["thousands by blanks", ["1 234,50", "950,25"], [1234.5, 950.25], { delimiter: ";" }],
    ["thousands by narrow blanks", ["1\u202F234.5", "12\u00A0345.5"], [1234.5, 12345.5]],
    ["thousands by blanks, and no fraction", ["1 234", "950"], [1234, 950]],
    ["thousands by apostrophes", ["1'234.50", "1’234’567.5"], [1234.5, 1_234_567.5]],
    ["decimal commas in quotes", ["26,46", "1,5", ""], [26.46, 1.5]],
    ["dollars", ["$12.30", "$1,234", "NA"], [12.3, 1234]],
    ["euros behind", ["12,30 €", "1.234,50 €"], [12.3, 1234.5], { delimiter: ";" }],
    ["a currency's name", ["EUR 12.30", "EUR 5"], [12.3, 5]],
    ["francs", ["Fr 12.30", "Fr1'200"], [12.3, 1200]],
    ["per cent", ["12 %", "7.5%"], [12, 7.5]],
    ["a typographic minus", ["−3", "4.5"], [-3, 4.5]],
    ["parentheses for negatives", ["(5)", "4", "(1,234.50)"], [-5, 4, -1234.5]],
    ["parentheses and dollars", ["($5)", "$(6)", "-$7", "$-8", "$9"], [-5, -6, -7, -8, 9]],
    ["parentheses at each", ["(1.50)", "(1,234.50)"], [-1.5, -1234.5]],
    ["blanks around", [" $5 ", "$6"], [5, 6]],
    ["no whole", ["$.5", "$5."], [0.5, 5]],
    ["fifteen digits", ["$123456789012345", "$1"], [123_456_789_012_345, 1]],
  ])("with %s", (_what, cells, numbers, around) => {
    expect(read(cells, around)).toEqual(numbers);
    expect(read([...cells].reverse(), around)).toEqual([...numbers].reverse());
  });
});

describe("a column is text", () => {
  test.each<[string, string[], Around?]>([
    ["groups of two digits", ["1,23,456", "1,234,567"]],
    ["a group of one digit", ["1,2", "1,234,567"]],
    ["a group that begins with a zero", ["0,123", "1,234,567"]],
    ["two currencies", ["$5", "€6"]],
    ["a currency and none", ["$5", "6"]],
    ["a currency and per cent", ["$5", "6 %"]],
    ["two currencies at each", ["$5 €", "$6 €"]],
    ["a currency before and behind", ["$5", "6 $"]],
    ["a unit", ["5 kg", "6 kg"]],
    ["a word that is a currency's name, too", ["TOP 5", "TOP 6"]],
    ["commas that group or not, where nothing tells", ["1,234", "950"], { delimiter: ";" }],
    ["the same of a currency with points", ["$1.234", "$950"], { delimiter: ";" }],
    ["rows for a model that don't tell", ["1,234", "950"], { isForModel: true }],
    ["two kinds of thousands", ["1,234.5", "1 234.5"]],
    ["two decimal signs", ["1.234,50", "1,234.50"]],
    ["choices of two among whole numbers", ["1", "1,5", "2", "3"]],
    ["choices of three", ["1,2", "1,2,3"]],
    ["addresses", ["192.168.100.101", "192.168.100.102"]],
    ["dates where the comma is usual", ["24.12", "31.10"], { decimal: "," }],
    ["dates", ["2026-01-01", "2026-01-02"]],
    ["times", ["12:30", "13:45"]],
    ["marks in parentheses", ["(1)", "(2)"]],
    ["an open parenthesis", ["(5", "6"]],
    ["two signs", ["--5", "−6"]],
    ["a sign that is no currency's", ["#5", "#6"]],
    ["leading zeros", ["$05", "$06"]],
    ["sixteen digits", ["$1234567890123456", "$1"]],
    ["telephone numbers", ["079 123 456", "078 123 456"]],
    ["no numbers", ["$", "$"]],
    ["nothing but missing values", ["NA", ""]],
  ])("with %s", (_what, cells, around) => {
    expect(read(cells, around)).toBeUndefined();
    expect(read([...cells].reverse(), around)).toBeUndefined();
  });
});

test("a number in parentheses alone is one for a model, which knows that it is one", () => {
  expect(read(["(5)"], { isForModel: true })).toEqual([-5]);
});

test("a plain column has no form", () => {
  for (const cells of [["1", "2.5"], ["-1e5", "NA"], [""], ["1_000", "inf"]]) expect(read(cells)).toBeUndefined();
});

const thousands: readonly NumberForm["thousands"][] = ["", ",", ".", " ", "'"];
const form = fc
  .record({
    decimal: fc.constantFrom("." as const, "," as const),
    thousands: fc.constantFrom(...thousands),
    affix: fc.constantFrom("", "$", "%", "EUR", "R$", "Fr", "kr"),
    isBefore: fc.boolean(),
  })
  .filter(({ decimal, thousands: between }) => decimal !== between)
  .map(({ affix, isBefore, ...signs }) => ({
    ...signs,
    before: isBefore ? affix : "",
    after: isBefore ? "" : affix,
  }));

test("a number is read as the one that was written in the form", () => {
  fc.assert(
    fc.property(form, fc.integer({ min: -1e12, max: 1e12 }), fc.constantFrom("-", "−", "("), (how, cents, minus) => {
      const [whole = "", fraction = ""] = (Math.abs(cents) / 100).toFixed(2).split(".");
      const grouped = whole.replace(/(?<=\d)(?=(\d{3})+$)/g, how.thousands);
      const bare = `${how.before}${grouped}${how.decimal}${fraction}${how.after}`;
      const cell = cents >= 0 ? bare : minus === "(" ? `(${bare})` : `${minus}${bare}`;
      expect(cell).toMatch(matcherOf(how));
      expect(Number(toPlainNumeral(cell, how))).toBe(Number((cents / 100).toFixed(2)));
      expect(exampleOf(how)).toMatch(matcherOf(how));
      expect(isAffix(how.before) && isAffix(how.after)).toBe(true);
    }),
  );
});
