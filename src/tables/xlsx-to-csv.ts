import { open } from "node:fs/promises";
import { DomainError } from "../errors.ts";
import { maxColumns } from "./csv-record.ts";
import { openPackage, type XlsxPackage } from "./xlsx-package.ts";
import { noSharedStrings, readSharedStrings } from "./xlsx-shared-strings.ts";
import { readRows, type SheetMeaning, type SheetRow } from "./xlsx-sheet.ts";
import { readStyles } from "./xlsx-styles.ts";
import { readWorkbook, type Sheet } from "./xlsx-workbook.ts";

/**
 * Bytes of a sheet's XML for each byte that its CSV may have: 4 and a half in a table of numbers and texts, 20 in one of
 * digits with a style. More are formats of empty cells, or were packed to keep the reader busy.
 */
const xmlBytesPerByte = 32;
const leastMaxXmlBytes = 64 * 1024 * 1024;
const enoughToWrite = 64 * 1024;

/** What is asked for. */
export interface XlsxToCsvOptions {
  /** Name of the sheet, in large or small letters; the first one that is not hidden where there is none. */
  readonly sheet?: string | undefined;
  /** Bytes that the CSV may have. */
  readonly maxBytes: number;
  /** Ends the work at any time, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Columns from 0. */
interface Range {
  first: number;
  last: number;
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

/** `A` for 0, as a person finds it in the sheet. */
const letters = (column: number): string =>
  (column < 26 ? "" : letters(Math.floor(column / 26) - 1)) + String.fromCharCode(65 + (column % 26));

const needsQuotes = /[",\r\n]/;

function lineOf({ cells }: SheetRow, { first, last }: Range): string {
  let line = "";
  for (let column = first; column <= last; column += 1) {
    const cell = cells[column] ?? "";
    if (column > first) line += ",";
    line += needsQuotes.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  }
  return `${line}\n`;
}

interface Writing {
  readonly xlsx: XlsxPackage;
  readonly sheet: Sheet;
  readonly meaning: SheetMeaning;
  readonly csvPath: string;
  readonly maxBytes: number;
}

/**
 * Writes a sheet's rows from the first column of `range` to its last. Where it is not known, it is taken from the first row,
 * and nothing is written any more from the first row on that goes beyond.
 * @returns the columns that are used, undefined when none is, and whether all rows are written
 */
async function writeRows(
  { xlsx, sheet, meaning, csvPath, maxBytes }: Writing,
  known?: Range,
): Promise<{ used: Range | undefined; isWhole: boolean }> {
  await using csv = await open(csvPath, "w");
  let range = known;
  let used: Range | undefined;
  let isWhole = true;
  let lines = "";
  let writtenBytes = 0;
  async function write(): Promise<void> {
    const bytes = Buffer.from(lines);
    lines = "";
    if (writtenBytes + bytes.length > maxBytes)
      throw new DomainError("DATASET_TOO_LARGE", `The CSV inside is larger than ${maxBytes} bytes.`);
    await csv.writeFile(bytes);
    writtenBytes += bytes.length;
  }
  await readRows(xlsx, sheet, meaning, {
    row(row) {
      used = {
        first: Math.min(row.first, used?.first ?? row.first),
        last: Math.max(row.last, used?.last ?? row.last),
      };
      if (used.last - used.first >= maxColumns)
        throw new DomainError(
          "COLUMN_NAMES_INVALID",
          `The sheet «${sheet.name.slice(0, 31)}» has values from column ${letters(used.first)} to ${letters(used.last)}: more than ${maxColumns} columns, the most that it may have. Delete what stands beside the table.`,
        );
      range ??= used;
      isWhole &&= row.first >= range.first && row.last <= range.last;
      if (isWhole) lines += lineOf(row, range);
    },
    settle: () => (lines.length >= enoughToWrite ? write() : undefined),
  });
  await write();
  return { used, isWhole };
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
  const maxXmlBytes = Math.max(leastMaxXmlBytes, xmlBytesPerByte * maxBytes);
  signal?.throwIfAborted();
  await using opened = new AsyncDisposableStack();
  const xlsx = await openPackage(xlsxPath, signal);
  opened.defer(() => xlsx.close());
  const { sheets, dateSystem, sharedStrings, styles } = await readWorkbook(xlsx);
  const sheet = chosenSheet(sheets, wanted);
  if (xlsx.sizeOf(sheet.part) > maxXmlBytes)
    throw new DomainError(
      "DATASET_TOO_LARGE",
      `The sheet «${sheet.name.slice(0, 31)}» is larger than ${maxXmlBytes} bytes when unpacked. Delete the empty rows and columns around the table, or save it as CSV.`,
    );
  const meaning: SheetMeaning = {
    kinds: styles === undefined ? [] : await readStyles(xlsx, styles),
    strings: sharedStrings === undefined ? noSharedStrings : await readSharedStrings(xlsx, sharedStrings, maxXmlBytes),
    dateSystem,
  };
  const writing = { xlsx, sheet, meaning, csvPath, maxBytes };
  const { used, isWhole } = await writeRows(writing);
  if (used === undefined)
    throw new DomainError(
      "HEADER_MISSING",
      `The sheet «${sheet.name.slice(0, 31)}» has no value. ${sheets.length === 1 ? "" : `The workbook has ${named(sheets)}: name the one to read.`}`.trim(),
    );
  if (!isWhole) await writeRows(writing, used);
  return { sheet: sheet.name, sheets: sheets.map(({ name }) => name) };
}
