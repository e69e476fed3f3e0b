import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { missingNumbers, missingWords } from "../../src/tables/missing.ts";
import {
  type Alphabet,
  type AnyCell,
  type AnyColumn,
  type AnyTable,
  alphabets,
  anyTable,
  type Size,
} from "./any-table.ts";
import { csvByCharacter } from "./csv-by-character.ts";
import { encodeText } from "./encode-text.ts";
import { parquetOfTable } from "./parquet-of.ts";
import { workbookOf, xmlText } from "./xlsx-file.ts";

const delimiters = [",", ";", "\t", "|"] as const;

/** How a table is written, whatever stands in it. */
interface Manner {
  readonly format: "csv" | "json" | "jsonl" | "xlsx" | "parquet";
  readonly compression: "none" | "gzip" | "zstd";
  /** Of a CSV, as is all that follows. */
  readonly delimiter: (typeof delimiters)[number];
  readonly decimal: "." | ",";
  readonly lineEnd: "\n" | "\r\n" | "\r";
  readonly quotesAll: boolean;
  readonly endsLastLine: boolean;
  readonly hasIndex: boolean;
  readonly padsNames: boolean;
  readonly isSaid: boolean;
  readonly dayFirst: boolean;
  readonly encoding: string;
  readonly hasMark: boolean;
  /** Which words stand for the missing values, in turn. */
  readonly missing: readonly number[];
}

/** A table, and a file that holds it. */
export interface AnyFile {
  readonly table: AnyTable;
  readonly manner: Manner;
  /** Fields of the form: what the sender has to say for it to be understood, and what some say though they need not. */
  readonly fields: Record<string, string>;
  /** The CSV before it is encoded, for who wants to see what failed. */
  readonly text: string | undefined;
}

const mannerOf = (alphabet: Alphabet): fc.Arbitrary<Manner> =>
  fc.record({
    format: fc.constantFrom("csv", "csv", "csv", "csv", "csv", "csv", "json", "jsonl", "xlsx", "parquet"),
    compression: fc.constantFrom("none", "none", "gzip", "zstd"),
    delimiter: fc.constantFrom(...delimiters),
    decimal: fc.constantFrom(".", ","),
    lineEnd: fc.constantFrom("\n", "\r\n", "\r"),
    quotesAll: fc.boolean(),
    endsLastLine: fc.boolean(),
    hasIndex: fc.boolean(),
    padsNames: fc.boolean(),
    isSaid: fc.boolean(),
    dayFirst: fc.boolean(),
    encoding: fc.constantFrom("utf-8", "utf-8", "utf-16le", "utf-16be", ...alphabets[alphabet].encodings),
    hasMark: fc.boolean(),
    missing: fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
  });

const rowsOf = (table: AnyTable): AnyCell[][] => table[0]!.cells.map((_, row) => table.map(({ cells }) => cells[row]!));

/** A date by ISO 8601 in another form. */
function dateAs(iso: string, form: NonNullable<AnyColumn["form"]>, { dayFirst }: Manner): string {
  const [date = "", time = ""] = iso.split("T");
  const [year, month, day] = date.split("-");
  const parts = form.isYearFirst ? [year, month, day] : dayFirst ? [day, month, year] : [month, day, year];
  const [hours = "", minutes] = time.split(":");
  const hour = Number(hours);
  const shown = form.hasHalfDays ? `${hour % 12 || 12}:${minutes} ${hour < 12 ? "AM" : "PM"}` : time;
  return parts.join(form.separator) + (time === "" ? "" : ` ${shown}`);
}

function csvOf(table: AnyTable, manner: Manner): string {
  const { delimiter, decimal, lineEnd, quotesAll, endsLastLine, hasIndex, padsNames, missing } = manner;
  let gaps = 0;
  const quoted = (text: string): string =>
    quotesAll || ['"', "\r", "\n", delimiter].some((sign) => text.includes(sign))
      ? `"${text.replaceAll('"', '""')}"`
      : text;
  const written = (value: AnyCell, { type, form, spelled }: AnyColumn): string => {
    if (typeof value === "string") return form === undefined ? value : dateAs(value, form, manner);
    if (typeof value === "boolean") return spelled![value ? 0 : 1];
    if (value !== null) return String(value).replace(".", decimal);
    const words = type === "text" ? missingWords : [...missingWords, ...missingNumbers];
    gaps += 1;
    return words[missing[gaps % missing.length]! % words.length]!;
  };
  const header = table.map(({ name }) => (padsNames ? ` ${name} ` : name));
  const rows = rowsOf(table).map((cells) => cells.map((cell, place) => written(cell, table[place]!)));
  const lines = [header, ...rows].map((cells, line) =>
    [...(hasIndex ? [line === 0 ? "" : String(line - 1)] : []), ...cells].map(quoted).join(delimiter),
  );
  return lines.join(lineEnd) + (endsLastLine ? lineEnd : "");
}

/** Of the first fifty rows, the header among them, it is found out how a file is written. */
const looked = 49;

/** Whether a sign other than the delimiter cuts the lines into as many cells each, too: then the rules may choose it. */
const mayBeCutOtherwise = (text: string, delimiter: string): boolean =>
  delimiters.some((other) => {
    if (other === delimiter) return false;
    try {
      const [header = [], ...rows] = csvByCharacter(text, undefined, other);
      const fits = (cells: string[]) =>
        cells.length === header.length || (cells.length === header.length + 1 && cells.at(-1) === "");
      return header.length > 1 && rows.slice(0, looked).every(fits);
    } catch {
      // Its quotes would be wrong.
      return false;
    }
  });

/** Whether a fraction shows the decimal sign: `1,234` may be one of thousands. */
const showsDecimal = (table: AnyTable): boolean =>
  table.some(
    ({ type, cells }) =>
      type === "number" &&
      cells.slice(0, looked).some((cell) => /\./.test(String(cell)) && !/^-?[1-9]\d{0,2}\.\d{3}$/.test(String(cell))),
  );

/** Any table, written in any way in which it can be understood. */
export const anyFile = (size: Size): fc.Arbitrary<AnyFile> =>
  fc.constantFrom(...(Object.keys(alphabets) as Alphabet[])).chain((alphabet) =>
    fc.tuple(anyTable(alphabet, size), mannerOf(alphabet)).map(([table, manner]): AnyFile => {
      if (manner.format !== "csv") return { table, manner, fields: {}, text: undefined };
      const text = csvOf(table, manner);
      const { delimiter, decimal, encoding, isSaid } = manner;
      const fields: Record<string, string> = {};
      if (isSaid || mayBeCutOtherwise(text, delimiter)) fields.delimiter = delimiter;
      // Between commas a decimal comma is not looked for.
      const mayBeThousands = decimal === "," && (delimiter === "," || !showsDecimal(table));
      if (isSaid || mayBeThousands) fields.decimal = decimal;
      if (!encoding.startsWith("utf")) fields.encoding = encoding;
      // Days up to the twelfth alone would tell nothing.
      if (table.some(({ form }) => form?.isYearFirst === false)) fields.dayFirst = String(manner.dayFirst);
      return { table, manner, fields, text };
    }),
  );

/** A CSV in its encoding. UTF-16 always has its mark: without one it is told by its ASCII alone. */
function encoded(text: string, { encoding, hasMark }: Manner): Buffer {
  if (encoding === "utf-8") return Buffer.from(hasMark ? `\uFEFF${text}` : text);
  if (!encoding.startsWith("utf-16")) return encodeText(text, encoding);
  const little = Buffer.from(`\uFEFF${text}`, "utf16le");
  return encoding === "utf-16be" ? little.swap16() : little;
}

const jsonOf = (cells: readonly AnyCell[], names: readonly string[]): string =>
  // By hand: an object would put names of digits first.
  `{${cells.map((cell, place) => `${JSON.stringify(names[place])}:${JSON.stringify(cell)}`).join(",")}}`;

/** The rows as JSON objects, with commas between them. */
export function objectsOf(table: AnyTable, between = ","): string {
  const names = table.map(({ name }) => name);
  return rowsOf(table)
    .map((cells) => jsonOf(cells, names))
    .join(between);
}

function workbook(table: AnyTable): Buffer {
  const cell = (value: AnyCell): string => {
    if (value === null) return "<c/>";
    if (typeof value === "boolean") return `<c t="b"><v>${value ? 1 : 0}</v></c>`;
    if (typeof value === "number") return `<c><v>${value}</v></c>`;
    return `<c t="inlineStr"><is><t xml:space="preserve">${xmlText(value)}</t></is></c>`;
  };
  const rows = [table.map(({ name }) => name), ...rowsOf(table)];
  return workbookOf({
    sheets: [{ name: "Table", rows: rows.map((cells) => `<row>${cells.map(cell).join("")}</row>`).join("") }],
  });
}

/** The table's rows before they are compressed. */
async function plainBytes({ table, manner, text }: AnyFile): Promise<Buffer> {
  if (manner.format === "json") return Buffer.from(`[${objectsOf(table, ",\n")}]`);
  if (manner.format === "jsonl") return Buffer.from(objectsOf(table, "\n"));
  if (manner.format === "xlsx") return workbook(table);
  if (manner.format === "parquet") return parquetOfTable(table);
  return encoded(text!, manner);
}

/** The bytes of the file. */
export async function bytesOf(file: AnyFile): Promise<Buffer> {
  const plain = await plainBytes(file);
  const { compression } = file.manner;
  return compression === "none" ? plain : compression === "gzip" ? gzipSync(plain) : zstdCompressSync(plain);
}

/** The table as the service should show it. */
export const shown = (table: AnyTable) => ({
  columns: table.map(({ name, type }) => ({ name, type })),
  rows: rowsOf(table),
});
