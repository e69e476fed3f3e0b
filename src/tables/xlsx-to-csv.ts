import { DomainError } from "../errors.ts";
import { writeRows } from "./xlsx-csv-rows.ts";
import { openPackage } from "./xlsx-package.ts";
import { noSharedStrings, readSharedStrings } from "./xlsx-shared-strings.ts";
import type { SheetMeaning } from "./xlsx-sheet.ts";
import { readStyles } from "./xlsx-styles.ts";
import { readWorkbook, type Sheet } from "./xlsx-workbook.ts";
import type { XmlLimits } from "./xlsx-xml.ts";

/**
 * How much of a sheet's XML is read for a CSV of so many bytes. It has four and a half times as many in a table of numbers
 * and texts, 20 in one of digits with a style; a cell has two elements, three where it was worked out, for two bytes or more.
 * What has more has formats of empty cells, or was made to keep its reader busy.
 */
const limitsFor = (maxBytes: number): XmlLimits => ({
  maxBytes: Math.max(64 * 1024 * 1024, 32 * maxBytes),
  maxElements: 2_000_000 + maxBytes,
});

/** What is asked for. */
export interface XlsxToCsvOptions {
  /** Name of the sheet, in large or small letters; the first one that is not hidden where there is none. */
  readonly sheet?: string | undefined;
  /** Bytes that the CSV may have. */
  readonly maxBytes: number;
  /** Ends the work at any time, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

const named = (sheets: readonly Sheet[]): string => {
  const names = sheets.slice(0, 20).map(({ name }) => `«${name.slice(0, 31)}»`);
  return names.join(", ") + (sheets.length > names.length ? ` and ${sheets.length - names.length} more` : "");
};

function chosenSheet(sheets: readonly Sheet[], wanted: string | undefined): Sheet {
  if (wanted === undefined) return sheets.find(({ isHidden }) => !isHidden) ?? sheets[0]!;
  const found =
    sheets.find(({ name }) => name === wanted) ??
    sheets.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (found !== undefined) return found;
  throw new DomainError(
    "FIELD_INVALID",
    `The workbook has no sheet «${wanted.slice(0, 80)}». It has ${named(sheets)}.`,
  );
}

/**
 * Writes a sheet of an Excel workbook as CSV: UTF-8, commas, `\n`, a point in numbers, dates as ISO 8601, `true` and `false`.
 * It has the columns from the first with a value to the last, and the rows that have one. Read as it is unpacked: what is
 * held at a time are the workbook's texts, 64 MiB at most, and some pieces of 64 KiB.
 * @param csvPath is created, or replaced; after a fault it holds a part of the table and is the caller's to remove
 * @returns the sheet's name, and those of all that have cells, also hidden ones
 * @throws DomainError NOT_CSV for what is no such file, with what it is, or a damaged one; FIELD_INVALID for an unknown
 * sheet; HEADER_MISSING for an empty one; COLUMN_NAMES_INVALID for too many columns; DATASET_TOO_LARGE. The signal's reason
 */
export async function xlsxToCsv(
  xlsxPath: string,
  csvPath: string,
  { sheet: wanted, maxBytes, signal }: XlsxToCsvOptions,
): Promise<{ sheet: string; sheets: string[] }> {
  signal?.throwIfAborted();
  await using opened = new AsyncDisposableStack();
  const xlsx = await openPackage(xlsxPath, signal);
  opened.defer(() => xlsx.close());
  const { sheets, dateSystem, sharedStrings, styles } = await readWorkbook(xlsx);
  const sheet = chosenSheet(sheets, wanted);
  const limits = limitsFor(maxBytes);
  const meaning: SheetMeaning = {
    kinds: styles === undefined ? [] : await readStyles(xlsx, styles),
    strings: sharedStrings === undefined ? noSharedStrings : await readSharedStrings(xlsx, sharedStrings, limits),
    dateSystem,
  };
  if (!(await writeRows({ xlsx, sheet, meaning, limits, csvPath, maxBytes })))
    throw new DomainError(
      "HEADER_MISSING",
      `The sheet «${sheet.name.slice(0, 31)}» has no value. ${sheets.length === 1 ? "" : `The workbook has ${named(sheets)}: name the one to read.`}`.trim(),
    );
  return { sheet: sheet.name, sheets: sheets.map(({ name }) => name) };
}
