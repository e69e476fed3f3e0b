import { sampleAt } from "./csv-record.ts";
import { type Delimiter, type Dialect, delimiters, isNumeral } from "./dialect.ts";
import { isMissing } from "./missing.ts";

/** Excel's line that names the delimiter. */
const hint = /^sep=([,;\t|])(?:\r\n|\r|\n)/i;

/** The beginning of a file, and whether that is all of it. */
export interface Beginning {
  /** Without a byte order mark. */
  readonly text: string;
  readonly isWholeFile: boolean;
}

const isNumber = (cell: string): boolean =>
  isNumeral(cell.trim(), { decimal: "." }) || isNumeral(cell.trim(), { decimal: "," });

const isBlank = (cell: string): boolean => cell.trim() === "";

/** How many cells each record has, where all have as many; 1 where they differ. */
const widthOf = ([header = [], ...rows]: readonly string[][]): number =>
  rows.every((cells) => cells.length === header.length) ? header.length : 1;

/**
 * The one by which the first records have all the same number of cells, and the most of those; where two have as many, the
 * one by which more cells are numbers. Where none fits, the one that cuts the first line most.
 */
function delimiterOf({ text, isWholeFile }: Beginning): Delimiter {
  let best = { delimiter: delimiters[0] as Delimiter, rank: [1, 0, 0] };
  for (const delimiter of delimiters) {
    const sample = sampleAt(text, 0, { delimiter, isWholeFile });
    const rank = [widthOf(sample), sample.slice(1).flat().filter(isNumber).length, sample[0]?.length ?? 0];
    const place = rank.findIndex((value, index) => value !== best.rank[index]);
    if (place >= 0 && rank[place]! > best.rank[place]!) best = { delimiter, rank };
  }
  return best.delimiter;
}

/** Whether more of the first rows' columns are numbers with a decimal comma than with a point. */
function decimalOf([, ...rows]: readonly string[][], columnCount: number): Dialect["decimal"] {
  const columnsWith = (decimal: Dialect["decimal"]): number =>
    Array.from({ length: columnCount }, (_, index) =>
      rows.map((cells) => cells[index] ?? "").map((cell) => cell.trim()),
    )
      .map((cells) => cells.filter((cell) => !isMissing(cell)))
      .filter(
        (cells) => cells.some((cell) => cell.includes(decimal)) && cells.every((cell) => isNumeral(cell, { decimal })),
      ).length;
  return columnsWith(",") > columnsWith(".") ? "," : ".";
}

/**
 * How a CSV is written, by its first rows: commas, semicolons, tabs or bars between cells, a decimal point or comma, a line
 * `sep=;` before the header. A decimal comma is looked for only where no comma stands between cells.
 */
export function detectDialect({ text, isWholeFile }: Beginning): Dialect {
  const hinted = hint.exec(text);
  const table = { text: hinted === null ? text : text.slice(hinted[0].length), isWholeFile };
  const delimiter = (hinted?.[1] as Delimiter | undefined) ?? delimiterOf(table);
  const skippedLines = hinted === null ? 0 : 1;
  const sample = sampleAt(table.text, 0, { delimiter, isWholeFile });
  const names = sample[0] ?? [];
  // Where all are without a name, the line is blank rather than a header.
  const leftOutColumns = names.every(isBlank) ? [] : [...names.keys()].filter((place) => isBlank(names[place]!));
  const decimal = delimiter === "," ? "." : decimalOf(sample, names.length);
  return { delimiter, decimal, skippedLines, leftOutColumns };
}

/** The text behind the lines that are none of the table. */
export function tableText(text: string, { skippedLines }: Dialect): string {
  return skippedLines === 0 ? text : text.replace(hint, "");
}
