import { open } from "node:fs/promises";
import { DomainError } from "../errors.ts";
import { maxColumns } from "./csv-record.ts";
import type { XlsxPackage } from "./xlsx-package.ts";
import { readRows, type SheetMeaning, type SheetRow } from "./xlsx-sheet.ts";
import type { Sheet } from "./xlsx-workbook.ts";
import type { XmlLimits } from "./xlsx-xml.ts";

const enoughToWrite = 64 * 1024;

/** The sheet that is written as CSV, and where to. */
export interface CsvOfSheet {
  readonly xlsx: XlsxPackage;
  readonly sheet: Sheet;
  readonly meaning: SheetMeaning;
  readonly limits: XmlLimits;
  readonly csvPath: string;
  readonly maxBytes: number;
}

/** Columns from 0. */
interface Range {
  readonly first: number;
  readonly last: number;
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

/** Writes the rows with the columns of `range`, up to the first row that goes beyond; without a range, with its own. */
async function writeWithin(
  { xlsx, sheet, meaning, limits, csvPath, maxBytes }: CsvOfSheet,
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
  await readRows(xlsx, sheet, meaning, limits, {
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
 * Writes the rows of a sheet that have a value, each with all columns from the first to the last that is used. Which these
 * are only the last row tells: those of the first row are tried, a header in most tables, and where that was wrong the sheet
 * is read once more.
 * @returns whether there is one
 * @throws DomainError NOT_CSV, COLUMN_NAMES_INVALID, DATASET_TOO_LARGE; the reason of the package's signal
 */
export async function writeRows(csv: CsvOfSheet): Promise<boolean> {
  const { used, isWhole } = await writeWithin(csv);
  if (!isWhole) await writeWithin(csv, used);
  return used !== undefined;
}
