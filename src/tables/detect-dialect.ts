import { fitsHeader, type Sample, sampleAt } from "./csv-record.ts";
import { type Delimiter, type Dialect, delimiters, isMissing, isNumeral } from "./dialect.ts";
import { missingNumbers, missingWords } from "./missing.ts";

/** Excel's line that names the delimiter. */
const hint = /^sep=([,;\t|])(?:\r\n|\r|\n)/i;

// Only a look at the whole file could tell that there are none.
const words = { missing: missingWords, missingNumbers, hasWordsInNumbers: true };

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

/** `1,234` may be either, and a column of such is not read as fractions. */
const grouped = /^[+-]?[1-9]\d{0,2}(,\d{3})+$/;

/** Whether more of the first rows' columns are numbers with a decimal comma than with a point. */
function decimalOf(rows: readonly string[][], columnCount: number): Dialect["decimal"] {
  const columns = Array.from({ length: columnCount }, (_, index) =>
    rows.map((cells) => (cells[index] ?? "").trim()).filter((cell) => !isMissing(cell, words, "number")),
  );
  const columnsWith = (decimal: Dialect["decimal"]): number =>
    columns.filter((cells) => {
      const fractions = cells.filter((cell) => cell.includes(decimal));
      return fractions.some((cell) => !grouped.test(cell)) && cells.every((cell) => isNumeral(cell, { decimal }));
    }).length;
  return columnsWith(",") > columnsWith(".") ? "," : ".";
}

/** Of a text whose first line is not long: 256 KiB of quotes, cut by each delimiter, held the event loop for 60 ms. */
const enough = 32 * 1024;

function beginningOf({ text, isWholeFile }: Beginning): Beginning {
  const end = text.search(/[\r\n]/);
  if (text.length <= enough || end < 0 || end > enough / 2) return { text, isWholeFile };
  return { text: text.slice(0, enough), isWholeFile: false };
}

/**
 * How a CSV is written, by its first rows: commas, semicolons, tabs or bars between cells, a decimal point or comma, a line
 * `sep=;` before the header. A decimal comma is looked for only where no comma stands between cells.
 */
export function detectDialect({ text, isWholeFile }: Beginning): Dialect {
  const hinted = hint.exec(text);
  const table = beginningOf({ text: hinted === null ? text : text.slice(hinted[0].length), isWholeFile });
  const delimiter = (hinted?.[1] as Delimiter | undefined) ?? delimiterOf(table);
  const [names = [], ...rows] = sampleAt(table.text, 0, { delimiter, isWholeFile: table.isWholeFile }).records;
  return {
    delimiter,
    decimal: delimiter === "," ? "." : decimalOf(rows, names.length),
    skippedLines: hinted === null ? 0 : 1,
    // Where all are without a name, the line is blank rather than a header.
    leftOutColumns: names.every(isBlank) ? [] : [...names.keys()].filter((place) => isBlank(names[place]!)),
    ...words,
  };
}

/** The text behind the lines that are none of the table. */
export function tableText(text: string, { skippedLines }: Dialect): string {
  return skippedLines === 0 ? text : text.replace(hint, "");
}
