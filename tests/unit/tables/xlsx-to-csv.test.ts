import { readFile, writeFile } from "node:fs/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeCsv, writtenTable } from "../../support/csv-tables.ts";
import { faultOf } from "../../support/fault-of.ts";
import { openXlsxConverter, type XlsxConverter } from "../../support/xlsx-converter.ts";
import { type WrittenSheet, type WrittenWorkbook, xmlText } from "../../support/xlsx-file.ts";

let xlsx: XlsxConverter;
beforeAll(async () => {
  xlsx = await openXlsxConverter();
});
afterAll(() => xlsx.close());

/** The CSV of a sheet of these rows. */
async function csvOf(rows: string, workbook: Omit<WrittenWorkbook, "sheets"> = {}): Promise<string> {
  await xlsx.convert({ sheets: [{ name: "Sheet1", rows }], ...workbook });
  return readFile(xlsx.csvPath, "utf8");
}

/** The value of one cell. */
async function valueIn(cell: string, workbook: Omit<WrittenWorkbook, "sheets"> = {}): Promise<string> {
  const csv = await csvOf(`<row><c t="str"><v>n</v></c></row><row>${cell}</row><row><c><v>1</v></c></row>`, workbook);
  return csv.slice("n\n".length, -"\n1\n".length);
}

test.each([
  ["an integer", "<v>45000</v>", "45000"],
  ["an integer written as a fraction", "<v>45000.0</v>", "45000"],
  ["a fraction", "<v>-0.1</v>", "-0.1"],
  ["a fraction with more digits than it needs", "<v>0.10000000000000001</v>", "0.1"],
  ["what was worked out, in full", "<v>0.30000000000000004</v>", "0.30000000000000004"],
  ["a fraction that ends in noughts", "<v>1.50</v>", "1.5"],
  ["a power", "<v>1.5E-3</v>", "0.0015"],
  ["a very large number", "<v>1E+21</v>", "1e+21"],
  ["more digits than JavaScript holds", "<v>12345678901234567890</v>", "12345678901234567890"],
  ["what is no number", "<v>nan</v>", "nan"],
])("a number as the shortest numeral: %s", async (_, value, expected) => {
  expect(await valueIn(`<c>${value}</c>`)).toBe(expected);
  expect(await valueIn(`<c t="n">${value}</c>`)).toBe(expected);
});

test.each([
  ["true", '<c t="b"><v>1</v></c>', "true"],
  ["false", '<c t="b"><v>0</v></c>', "false"],
  ["a formula's number", "<c><f>A1+1</f><v>7</v></c>", "7"],
  ["a formula's text", '<c t="str"><f>A1&amp;"x"</f><v>7x</v></c>', "7x"],
  ["a formula's truth", '<c t="b"><f>TRUE</f><v>1</v></c>', "true"],
  ["a date that is written as one", '<c t="d"><v>2024-01-31T10:15:00</v></c>', "2024-01-31T10:15:00"],
  ["text with signs of CSV", '<c t="str"><v>a, &quot;b&quot;</v></c>', '"a, ""b"""'],
  ["text of two lines", '<c t="str"><v>a\nb</v></c>', '"a\nb"'],
  ["blanks around text", '<c t="str"><v xml:space="preserve"> a </v></c>', " a "],
  ["a character that XML can't hold", '<c t="str"><v>a_x0007_b_x005F_x0007_</v></c>', "a\u0007b_x0007_"],
  ["digits as text", '<c t="str"><v>007</v></c>', "007"],
  ["text in CDATA", '<c t="str"><v>a<![CDATA[<b>]]>c</v></c>', "a<b>c"],
  ["inline text", '<c t="inlineStr"><is><t>Ö &#x1F600;</t></is></c>', "Ö 😀"],
  [
    "inline text of several looks",
    '<c t="inlineStr"><is><r><t>東</t></r><r><rPr><b/></rPr><t>京</t></r><rPh sb="0" eb="1"><t>トウ</t></rPh></is></c>',
    "東京",
  ],
])("a cell as a person means it: %s", async (_, cell, expected) => {
  expect(await valueIn(cell)).toBe(expected);
});

test.each(["#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"])(
  "the error %s is no value",
  async (error) => {
    expect(await csvOf(`<row><c><v>1</v></c><c t="e"><f>X</f><v>${error}</v></c><c><v>2</v></c></row>`)).toBe("1,,2\n");
  },
);

test("shared texts are joined from their runs, without how they are pronounced", async () => {
  const strings = `<si><t>plain</t></si><si><r><t>two </t></r><r><rPr><b/></rPr><t>runs</t></r></si><si/>
    <si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/></si>`;
  const rows = [3, 1, 0, 2].map((index) => `<row><c t="s"><v>${index}</v></c><c><v>${index}</v></c></row>`).join("");
  expect(await csvOf(rows, { strings })).toBe("東京,3\ntwo runs,1\nplain,0\n,2\n");
});

const dates: [format: string | number, days: number | string, expected: string][] = [
  [14, 45322, "2024-01-31"],
  [14, 45322.427083333336, "2024-01-31T10:15:00"],
  [17, 1, "1900-01-01"],
  [16, 59, "1900-02-28"],
  [15, 60, "1900-02-29"],
  [14, 61, "1900-03-01"],
  [14, 2958465, "9999-12-31"],
  [14, 2958466, "2958466"],
  [14, -1, "-1"],
  [14, "soon", "soon"],
  [22, 45322, "2024-01-31T00:00:00"],
  [22, 45322.4270833333, "2024-01-31T10:15:00"],
  [22, 45322.99999999999, "2024-02-01T00:00:00"],
  [22, 45322.42708912037, "2024-01-31T10:15:00.500"],
  [18, 0.427083333333333, "10:15:00"],
  [20, 0, "00:00:00"],
  [21, 45322.5, "2024-01-31T12:00:00"],
  [45, 0.00011574074074074, "00:00:10"],
  [46, 1.145833333333333, "27:30:00"],
  [47, 0.5, "12:00:00"],
  [30, 45322, "2024-01-31"],
  ["yyyy-mm-dd", 45322, "2024-01-31"],
  ["[$-409]d-mmm-yy;@", 45322, "2024-01-31"],
  ["TT.MM.JJJJ", 45322, "2024-01-31"],
  ["yyyy\\-mm\\-dd\\ hh:mm", 45322, "2024-01-31T00:00:00"],
  ["[$-F400]h:mm:ss AM/PM", 0.75, "18:00:00"],
  ["[h]:mm:ss", 1.5, "36:00:00"],
  ["[mm]:ss", 0.5, "12:00:00"],
  [0, 45322, "45322"],
  [9, 0.25, "0.25"],
  [10, 0.125, "0.125"],
  [49, 45322, "45322"],
  ["General", 45322, "45322"],
  ["0.00E+00", 45322, "45322"],
  ['#,##0.00 "days"', 45322, "45322"],
  ['0 "\\"d', 1, "1900-01-01"],
  ["#,##0\\ \\h", 45322, "45322"],
  ["_-* #,##0.00_d", 45322, "45322"],
  ["[Red]0;[$USD]0", 45322, "45322"],
  ["[$-409]#,##0", 45322, "45322"],
  ['"[h]" 0', 45322, "45322"],
  ["0;yyyy", 45322, "45322"],
];
test.each(dates)("a number with the format %s: %s is %s", async (format, days, expected) => {
  expect(await valueIn(`<c s="1"><v>${days}</v></c>`, { formats: [format] })).toBe(expected);
});

test.each([
  [0, "1904-01-01"],
  [43860, "2024-01-31"],
  [43860.5, "2024-01-31T12:00:00"],
  [2957003, "9999-12-31"],
  [2957004, "2957004"],
])("a workbook may count its days from 1904: %s is %s", async (days, expected) => {
  const workbook = { formats: ["d.m.yy"], workbookProperties: 'date1904="1"' };
  expect(await valueIn(`<c s="1"><v>${days}</v></c>`, workbook)).toBe(expected);
});

test("the format of a text, of a truth and of an unknown style does not count", async () => {
  const cells = '<c s="1" t="str"><v>7</v></c><c s="1" t="b"><v>1</v></c><c s="9"><v>7</v></c><c><v>7</v></c>';
  expect(await csvOf(`<row>${cells}</row>`, { formats: [14] })).toBe("7,true,7,7\n");
});

test("cells stand where they say, or behind the one before", async () => {
  const rows = `<row r="3"><c r="B3"><v>1</v></c><c r="E3"><v>2</v></c></row>
    <row r="9"><c r="C9"><v>3</v></c><c><v>4</v></c></row>`;
  expect(await csvOf(rows)).toBe("1,,,2\n,3,4,\n");
});

test("a sheet without places reads like one with them", async () => {
  expect(await csvOf("<row><c><v>1</v></c><c/><c><v>2</v></c></row><row><c/><c><v>3</v></c></row>")).toBe(
    "1,,2\n,3,\n",
  );
});

test.each([
  ["below to the left", "B2", "A9", ",1\n2,\n"],
  ["below to the right", "B2", "AA3", `1${",".repeat(24)},\n${",".repeat(25)}2\n`],
])("the table has all columns that are used: one more %s", async (_, one, other, expected) => {
  expect(await csvOf(`<row><c r="${one}"><v>1</v></c></row><row><c r="${other}"><v>2</v></c></row>`)).toBe(expected);
});

test("rows and columns without a value are none of the table", async () => {
  const empty = '<row><c r="A1" s="1"/><c r="G1" t="str"><v></v></c><c r="H1" t="e"><v>#N/A</v></c></row>';
  const rows = `${empty}<row/><row><c r="C3"><v>1</v></c></row>${empty}<row><c r="D5"><v>2</v></c></row>${empty}`;
  expect(await csvOf(rows)).toBe("1,\n,2\n");
});

test("elements may have a prefix", async () => {
  const sheet = `<?xml version="1.0"?><x:worksheet xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main"><x:sheetData>
    <x:row r="1"><x:c r="A1" t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c><x:c r="B1"><x:v>2</x:v></x:c></x:row>
    </x:sheetData></x:worksheet>`;
  expect(await csvOf(sheet)).toBe("a,2\n");
});

test("what stands in a sheet beside its rows does not count", async () => {
  const sheet = `<?xml version="1.0"?><worksheet><sheetViews><v>9</v><c><v>9</v></c></sheetViews>
    <sheetData><row><c><f>1</f><v>1</v><extLst><ext><t>x</t></ext></extLst></c></row></sheetData>
    <conditionalFormatting><row><c><v>9</v></c></row></conditionalFormatting>
    ${`<hyperlink ref="A1" display="${"x".repeat(1_000)}"/>`.repeat(5_000)}</worksheet>`;
  expect(await csvOf(sheet)).toBe("1\n");
});

test("any table comes back as the CSV of its values", async () => {
  await fc.assert(
    fc.asyncProperty(writtenTable, fc.boolean(), async ({ names, rows }, isShared) => {
      const records = [names, ...rows];
      const texts = records.flat().map((text) => `<si><t xml:space="preserve">${xmlText(text)}</t></si>`);
      const cellOf = (text: string, index: number): string => {
        if (text === "") return "<c/>";
        return isShared
          ? `<c t="s"><v>${index}</v></c>`
          : `<c t="inlineStr"><is><t xml:space="preserve">${xmlText(text)}</t></is></c>`;
      };
      const written = records.map(
        (cells, row) => `<row>${cells.map((text, index) => cellOf(text, row * names.length + index)).join("")}</row>`,
      );
      const filled = records.filter((cells) => cells.some((cell) => cell !== ""));
      const how = { lineEnd: "\n", quotesAll: false, byteOrderMark: false, endsLastLine: true } as const;
      expect(await csvOf(written.join(""), { strings: texts.join("") })).toBe(writeCsv(filled, how).text);
    }),
  );
});

const one = "<row><c><v>1</v></c></row>";
const severalSheets: WrittenSheet[] = [
  { name: "Secret", rows: one, state: "veryHidden" },
  { name: "Chart", rows: "", kind: "chartsheet" },
  { name: "Data & more", rows: "<row><c><v>2</v></c></row>" },
  { name: "Empty", rows: "" },
];

test("the first sheet that is not hidden is read", async () => {
  expect(await xlsx.convert({ sheets: severalSheets })).toEqual({
    sheet: "Data & more",
    sheets: ["Secret", "Data & more", "Empty"],
  });
  expect(await readFile(xlsx.csvPath, "utf8")).toBe("2\n");
});

test.each([
  ["Secret", "Secret", "1\n"],
  ["data & MORE", "Data & more", "2\n"],
])("the sheet %s is read when it is named", async (sheet, found, csv) => {
  expect(await xlsx.convert({ sheets: severalSheets }, { sheet })).toMatchObject({ sheet: found });
  expect(await readFile(xlsx.csvPath, "utf8")).toBe(csv);
});

test("an unknown sheet is a fault that names those that there are", async () => {
  expect(await faultOf(() => xlsx.convert({ sheets: severalSheets }, { sheet: "Chart" }))).toMatchObject({
    code: "FIELD_INVALID",
    message: "The workbook has no sheet «Chart». It has «Secret», «Data & more», «Empty».",
  });
  const sheets = Array.from({ length: 25 }, (_, index) => ({ name: `s${index}`, rows: one }));
  expect((await faultOf(() => xlsx.convert({ sheets }, { sheet: "x" }))).message).toMatch(/«s19» and 5 more\.$/);
});

test("a sheet without a value is a fault that names the others", async () => {
  const fault = await faultOf(() => xlsx.convert({ sheets: severalSheets }, { sheet: "Empty" }));
  expect(fault.code).toBe("HEADER_MISSING");
  expect(fault.message).toContain("«Empty» has no value");
  expect(fault.message).toContain("«Secret», «Data & more», «Empty»");
  const single = await faultOf(() => csvOf('<row><c t="e"><v>#N/A</v></c></row>'));
  expect(single).toMatchObject({ code: "HEADER_MISSING", message: "The sheet «Sheet1» has no value." });
});

test("a table may have 2,000 columns and not one more, wherever it begins", async () => {
  expect(await csvOf('<row><c r="B1"><v>1</v></c><c r="BXY1"><v>2</v></c></row>')).toBe(`1${",".repeat(1_999)}2\n`);
  const fault = await faultOf(() => csvOf('<row><c r="BXZ1"><v>1</v></c></row><row><c r="B2"><v>2</v></c></row>'));
  expect(fault.code).toBe("COLUMN_NAMES_INVALID");
  expect(fault.message).toContain("from column B to BXZ");
});

test("the CSV may have so many bytes and not one more", async () => {
  const sheets = [{ name: "Sheet1", rows: '<row><c t="str"><v>öö</v></c><c><v>1</v></c></row>' }];
  await xlsx.convert({ sheets }, { maxBytes: 7 });
  expect(await readFile(xlsx.csvPath, "utf8")).toBe("öö,1\n");
  expect(await faultOf(() => xlsx.convert({ sheets }, { maxBytes: 6 }))).toMatchObject({
    code: "DATASET_TOO_LARGE",
    message: "The CSV inside is larger than 6 bytes.",
  });
});

test("a CSV that is there already is replaced", async () => {
  await writeFile(xlsx.csvPath, "x".repeat(1_000));
  expect(await csvOf(one)).toBe("1\n");
});
