import fc from "fast-check";
import { expect, test } from "vitest";
import { detectDialect } from "../../../src/tables/detect-dialect.ts";
import { delimiters } from "../../../src/tables/dialect.ts";

const detect = (text: string, isWholeFile = true) => detectDialect({ text, isWholeFile });

const word = fc.stringMatching(/^[a-z]{1,8}$/);
const number = fc
  .double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
  .map((value) => value.toFixed(2));

test("a table is read by what it was written with, whatever stands in it", () => {
  const table = fc.record({
    delimiter: fc.constantFrom(...delimiters),
    decimal: fc.constantFrom("." as const, "," as const),
    names: fc.array(word, { minLength: 2, maxLength: 6 }),
    rows: fc.array(fc.array(number, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 80 }),
    hint: fc.boolean(),
    lineEnd: fc.constantFrom("\n", "\r\n", "\r"),
  });
  fc.assert(
    fc.property(table, ({ delimiter, decimal, names, rows, hint, lineEnd }) => {
      const written = rows.map((cells) =>
        cells
          .slice(0, names.length)
          .map((cell) => (decimal === "," && delimiter !== "," ? cell.replace(".", ",") : cell))
          .join(delimiter),
      );
      const lines = [...(hint ? [`sep=${delimiter}`] : []), names.join(delimiter), ...written];
      expect(detect(lines.join(lineEnd))).toMatchObject({
        delimiter,
        decimal: delimiter === "," ? "." : decimal,
        skippedLines: hint ? 1 : 0,
        leftOutColumns: [],
      });
    }),
  );
});

test.each([
  ["a title", "Prices of May\na,b\n1,x\n2,y\n", 1],
  ["a title in quotes", '"Prices of May"\r\na;b\r\n1;x\r\n2;y\r\n', 1],
  ["comments with delimiters", "# by: anna, ben\n# on: 1,2,3\na,b\n1,x\n2,y\n", 2],
  ["blank lines", "\n \n\na,b\n1,x\n2,y\n", 3],
  ["a title, a blank line and an index", "Prices\n\n,a,b\n0,1,x\n1,2,y\n", 2],
  ["a title above empty cells", "Prices,,\na,b,c\n1,x,2\n2,y,3\n", 1],
  ["a title above empty cells and an empty row", "Prices;;\n;;\na;b;c\n1;x;2\n2;y;3\n", 2],
  ["a name with a line end", '"a\nb",c\n1,x\n2,y\n', 0],
  ["a name with a hash above text", "#gene,tissue,y\ng0,t0,z\ng1,t1,x\ng2,t2,x\n", 0],
  ["a name alone above text", "id,,\nn0,c0,z\nn1,c1,x\nn2,c2,x\n", 0],
  ["a title above two columns", "Prices;\na;b\n1;x\n2;y\n", 1],
  ["names of columns that are empty but one", "a,,\n1,,\n2,,\n3,,\n", 0],
  ["Excel's hint and a title", "sep=;\nPrices\na;b\n1;x\n2;y\n", 2],
  ["nothing", "a,b\n1,x\n2,y\n", 0],
  ["a name with a hash", "#id,b\n1,x\n2,y\n", 0],
  ["a header that lacks a name, above numbers", "id\n1,2\n3,4\n5,6\n", 0],
  ["a row that is short", "a,b\n1\n2,y\n3,z\n4,z\n", 0],
  ["a header of several names that lacks one", "a,b\n1,x,2\n2,y,3\n3,z,4\n", 0],
])("lines above the table: %s", (_what, text, skippedLines) => {
  expect(detect(text).skippedLines).toBe(skippedLines);
});

test.each([
  ["groups of three behind points and a decimal comma", "Umsatz;Quote;y\n1.200;0,1;ja\n2.201;0,2;nein\n", ","],
  ["groups of three behind commas and a decimal point", "turnover;share;y\n1,200;0.1;yes\n2,201;0.2;no\n", "."],
  ["groups of three behind points alone", "a;y\n1.200;ja\n2.201;nein\n", "."],
])("the decimal sign of %s", (_what, text, decimal) => {
  expect(detect(text).decimal).toBe(decimal);
});

test("what the sender says is not looked for", () => {
  const text = "a;b,c\n1;2,5\n3;4,5\n";
  expect(detectDialect({ text, isWholeFile: true }, { delimiter: ",", decimal: "." })).toMatchObject({
    delimiter: ",",
    decimal: ".",
  });
  expect(detectDialect({ text, isWholeFile: true }, { delimiter: ";" })).toMatchObject({
    delimiter: ";",
    decimal: ",",
  });
});

test.each([
  ["a comma in every text", "a;b\nx, y;1\nz, y;2\n", ";"],
  ["bars within the cells of one column", "id,genres\n1,drama|crime\n2,drama|war\n", ","],
  ["semicolons within quotes", 'a,b\n"1;2;3",x\n"4;5;6",y\n', ","],
  ["a decimal comma and as many semicolons", "price;kg\n1,5;2\n2,5;3\n", ";"],
  ["a comma in the header, too", "price, EUR;kg\n1,5;2\n2,5;3\n", ";"],
  ["one row that is too short", "a;b;c\n1;2;3\n4;5\n", ";"],
  ["a header alone", "a\tb\tc\n", "\t"],
  ["decimal commas in the first line, too", "5,1;x\n4,9;x\n6,2;y\n", ";"],
  ["bars in a name and in quotes", 'id,desc (a|b|c|d)\n"1","x"\n"2","y"\n', ","],
  ["semicolons in a name and commas in quotes", 'id,sex (m;f;x)\n"a, b",m\n"c, d",f\n', ","],
  ["semicolons in a name and in each row, more than commas", "id,age,tags: a;b;c;d\n1,30,x;y;z;w\n2,31,p;q;r;s\n", ","],
  ["bars in a name and in each row", "id,scores (q1|q2|q3)\n1,4|5|3\n2,1|2|3\n", ","],
  ["as many semicolons as commas", "id,lat;lon\n1,52;13\n2,48;11\n", ","],
  ["a delimiter at the end of rows", "Preis, EUR;kg;label\n1,5;2;x;\n2,5;3;y;\n", ";"],
  ["a tab at the end of rows", "a, kg\tb\tlabel\n1,5\t2\tx\t\n2,5\t2\ty\t\n", "\t"],
  ["an empty line", "a;b\n\n1;2\n", ";"],
])("%s", (_what, text, delimiter) => {
  expect(detect(text).delimiter).toBe(delimiter);
});

test.each([
  ["whole numbers alone", "a;b\n1;2\n", "."],
  ["a missing value among them", "a;b\n1,5;NA\n;2\n", ","],
  ["a text with a comma beside points", "a;b\n1.5;x,y\n2.5;z\n", "."],
  ["a comma that only groups", "a;b\n1,234,567;2\n", "."],
  ["a comma that may group or not", "a;b\n1,234;2\n950;3\n12,345;4\n", "."],
  ["three decimals that can't be groups", "a;b\n1,234;2\n0,950;3\n", ","],
])("the decimal sign: %s", (_what, text, decimal) => {
  expect(detect(text).decimal).toBe(decimal);
});

test("the beginning of a file may be cut anywhere", () => {
  const text = `a;b;c\n${"1,5;2;x\n".repeat(30)}`;
  for (let end = text.length; end > 20; end -= 1)
    expect(detect(text.slice(0, end), false)).toMatchObject({
      delimiter: ";",
      decimal: ",",
      skippedLines: 0,
      leftOutColumns: [],
    });
});

test.each([
  ["an index", ",a,b\n0,1,2\n", [0]],
  ["an index of semicolons with a blank for a name", " ;a;b\n0;1;2\n", [0]],
  ["a delimiter at each end", "a,b,\n1,2,\n", [2]],
  ["none, where no column has a name", ",,\n1,2,3\n", []],
])("columns that are left out: %s", (_what, text, places) => {
  expect(detect(text).leftOutColumns).toEqual(places);
});

test("a row that does not end within the beginning is none that speaks against a delimiter", () => {
  expect(detect(`id,desc (a|b|c)\n1,${"x".repeat(1_000)}`, false).delimiter).toBe(",");
});
