import type { ColumnType } from "./column-type.ts";
import { fitsHeader, type Sample, sampleAt } from "./csv-record.ts";
import { type Delimiter, type Dialect, delimiters, isMissing, isNumeral, withoutFewWords } from "./dialect.ts";
import { missingNumbers, missingWords } from "./missing.ts";
import { plainSource, type TableSource } from "./table-source.ts";

/** Excel's line that names the delimiter. */
const hint = /^sep=([,;\t|])(?:\r\n|\r|\n)/i;

/** The beginning of a file, and whether that is all of it. */
export interface Beginning {
  /** Without a byte order mark. */
  readonly text: string;
  readonly isWholeFile: boolean;
}

const isBlank = (cell: string): boolean => cell.trim() === "";
const isDecimalComma = (cell: string): boolean => cell.includes(",") && isNumeral(cell.trim(), { decimal: "," });

/** How many cells each of the first records has; 1 where they differ, or where one can't be read and the text is not cut there. */
function widthOf({ records, isSound }: Sample, isWholeFile: boolean): number {
  const [header = [], ...rows] = records;
  const fits = rows.every((cells) => fitsHeader(cells, header));
  return fits && (isSound || (!isWholeFile && rows.length > 0)) ? header.length : 1;
}

/** Whether commas that cut the records into as many cells each are none of the delimiters all the same. */
function areCommasWithin(byComma: Sample, byOther: Sample): boolean {
  const [header = [], ...rows] = byComma.records;
  // `price, EUR;kg` above `1,50;2`.
  const isText =
    header.slice(1).every((cell) => cell.startsWith(" ")) && !rows.some((cells) => cells[1]?.startsWith(" "));
  return isText || byOther.records.flat().every((cell) => !cell.includes(",") || isDecimalComma(cell));
}

/**
 * The comma where it cuts the first records into as many cells each, unless commas stand within the cells of another one
 * that does; else of the others the one that cuts them into the most. Where none does, the first that cuts the first line.
 */
function delimiterOf({ text, isWholeFile }: Beginning): Delimiter {
  const samples = delimiters.map((delimiter) => ({ delimiter, sample: sampleAt(text, 0, { delimiter, isWholeFile }) }));
  const [comma, ...others] = samples.map((each) => ({ ...each, width: widthOf(each.sample, isWholeFile) }));
  const [best] = others.filter(({ width }) => width > 1).sort((a, b) => b.width - a.width);
  if (comma!.width > 1) return best !== undefined && areCommasWithin(comma!.sample, best.sample) ? best.delimiter : ",";
  return (best ?? samples.find(({ sample }) => (sample.records[0]?.length ?? 0) > 1))?.delimiter ?? ",";
}

/** `1,234` and `1.234` may be either: a column of such says nothing of the file's decimal sign. */
const grouped = /^[+-]?[1-9]\d{0,2}([.,]\d{3})+$/;

/** Whether more of the first rows' columns are numbers with a decimal comma than with a point. */
function decimalOf(
  rows: readonly string[][],
  columnCount: number,
  words: Pick<Dialect, "missing" | "missingNumbers">,
): Dialect["decimal"] {
  const columns = Array.from({ length: columnCount }, (_, index) =>
    withoutFewWords(
      rows.map((cells) => (cells[index] ?? "").trim()).filter((cell) => !isMissing(cell, words, "number")),
    ),
  );
  const columnsWith = (decimal: Dialect["decimal"]): number =>
    columns.filter((cells) => {
      const fractions = cells.filter((cell) => cell.includes(decimal));
      return fractions.some((cell) => !grouped.test(cell)) && cells.every((cell) => isNumeral(cell, { decimal }));
    }).length;
  return columnsWith(",") > columnsWith(".") ? "," : ".";
}

/** Titles, comments and blank lines that may stand above a header. */
const mostLinesAbove = 20;
const longestTitle = 4_096;

/** Where the text goes on behind so many lines; undefined where it ends before. */
function behindLines(text: string, lines: number): number | undefined {
  const ends = /\r\n|\r|\n/g;
  let at = 0;
  for (let line = 0; line < lines; line += 1) {
    ends.lastIndex = at;
    const end = ends.exec(text);
    if (end === null) return undefined;
    at = end.index + end[0].length;
  }
  return at;
}

/** Whether a line is blank, a comment, or has its first cell alone, as a title has with or without delimiters behind it. */
function isNoRow(line: string): boolean {
  // Its last cell goes on in the next line.
  if (line.split('"').length % 2 === 0) return false;
  return line.startsWith("#") || line.split(/[,;\t|]/).every((cell, place) => place === 0 || isBlank(cell));
}

const isPlainNumeral = (cell: string): boolean => isNumeral(cell.trim(), { decimal: "." });

/**
 * Whether a header may begin here: it names all columns but an index, and rows of as many cells follow.
 * @param isSure numbers must stand below its names: what was passed over may have been the header of a table of text
 */
function isTableAt({ text, isWholeFile }: Beginning, from: number, delimiter: Delimiter, isSure: boolean): boolean {
  const sample = sampleAt(text, from, { delimiter, isWholeFile });
  const [header = [], ...rows] = sample.records;
  const isName = (cell: string, place: number) => (isBlank(cell) ? place === 0 : !isPlainNumeral(cell));
  const isHeader = header.every(isName) && (!isSure || rows.some((cells) => cells.some(isPlainNumeral)));
  return rows.length > 1 && isHeader && widthOf(sample, isWholeFile) > 1;
}

/**
 * How many lines above the table are none of it: blank ones, comments, and lines of one cell above a header and rows of
 * several. None where the first line is a header already.
 */
function linesAbove(beginning: Beginning, possible: readonly Delimiter[]): number {
  const { text, isWholeFile } = beginning;
  let mayBeHeader = false;
  for (let lines = 0, from = 0; lines <= mostLinesAbove; lines += 1) {
    const next = behindLines(text, lines + 1);
    // No title is as long; to look at such a line for all of them held the event loop for 0.1 s.
    if ((next ?? text.length) - from > longestTitle) return 0;
    const line = text.slice(from, next).trim();
    // `#id` may be a name.
    const isFirst = lines === 0 && (line.startsWith("#") || !isNoRow(line));
    const isTable = (delimiter: Delimiter): boolean =>
      lines === 0
        ? isFirst && widthOf(sampleAt(text, 0, { delimiter, isWholeFile }), isWholeFile) > 1
        : isTableAt(beginning, from, delimiter, mayBeHeader);
    if (line !== "" && possible.some(isTable)) return lines;
    if (next === undefined || !isNoRow(line)) return 0;
    mayBeHeader ||= !line.startsWith("#") && /[,;\t|]/.test(text.slice(from, next)) && line !== "";
    from = next;
  }
  return 0;
}

/** Of a text whose first line is not long: 256 KiB of quotes, cut by each delimiter, held the event loop for 60 ms. */
const enough = 32 * 1024;

function beginningOf({ text, isWholeFile }: Beginning): Beginning {
  const end = text.search(/[\r\n]/);
  if (text.length <= enough || end < 0 || end > enough / 2) return { text, isWholeFile };
  return { text: text.slice(0, enough), isWholeFile: false };
}

/** What the sender of a table says of it; what is not said is found out. */
export interface Wished {
  readonly source?: TableSource;
  readonly delimiter?: Delimiter | undefined;
  readonly decimal?: Dialect["decimal"] | undefined;
  /** Whether the first line, or that behind `sep=`, names the columns. */
  readonly header?: boolean | undefined;
  /** Further words for a missing value, in every column. */
  readonly missing?: readonly string[] | undefined;
  /** Of columns by their names. */
  readonly types?: Readonly<Record<string, ColumnType>> | undefined;
  /** Whether 03/04/2024 is the third of April. */
  readonly dayFirst?: boolean | undefined;
}

/**
 * How a CSV is written, by its first rows: commas, semicolons, tabs or bars between cells, a decimal point or comma, titles,
 * comments, blank lines or a line `sep=;` before the header. A decimal comma is looked for only where no comma stands between
 * cells.
 */
export function detectDialect({ text, isWholeFile }: Beginning, wished: Wished = {}): Dialect {
  const hinted = hint.exec(text);
  const whole = beginningOf({ text: hinted === null ? text : text.slice(hinted[0].length), isWholeFile });
  const said = wished.delimiter ?? (hinted?.[1] as Delimiter | undefined);
  const above = wished.header === undefined ? linesAbove(whole, said === undefined ? delimiters : [said]) : 0;
  const isHeaderless = wished.header === false;
  const table = { text: whole.text.slice(behindLines(whole.text, above)), isWholeFile: whole.isWholeFile };
  const delimiter = said ?? delimiterOf(table);
  const words = { missing: [...missingWords, ...(wished.missing ?? [])], missingNumbers };
  const [names = [], ...rows] = sampleAt(table.text, 0, { delimiter, isWholeFile: table.isWholeFile }).records;
  return {
    source: wished.source ?? plainSource,
    delimiter,
    decimal: wished.decimal ?? (delimiter === "," ? "." : decimalOf(rows, names.length, words)),
    skippedLines: (hinted === null ? 0 : 1) + above,
    // Where all are without a name, the line is blank rather than a header.
    leftOutColumns:
      isHeaderless || names.every(isBlank) ? [] : [...names.keys()].filter((place) => isBlank(names[place]!)),
    ...(isHeaderless && { isHeaderless }),
    ...words,
    // Only a look at the whole file could tell that there are none.
    hasWordsInNumbers: true,
  };
}

/** The text behind the lines that are none of the table. */
export function tableText(text: string, { skippedLines }: Dialect): string {
  return text.slice(behindLines(text, skippedLines));
}
