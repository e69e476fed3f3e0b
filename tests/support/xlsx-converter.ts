import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { xlsxToCsv } from "../../src/tables/xlsx-to-csv.ts";
import { type WrittenWorkbook, workbookOf } from "./xlsx-file.ts";

/** One mebibyte. */
export const mebibyte = 1024 * 1024;

/** Converts one workbook after the other, in a folder of its own. */
export interface XlsxConverter {
  readonly folder: string;
  readonly xlsxPath: string;
  /** Where the CSV of the last one stands. */
  readonly csvPath: string;
  convert(
    workbook: WrittenWorkbook | Buffer,
    how?: { sheet?: string; maxBytes?: number; signal?: AbortSignal },
  ): Promise<{ sheet: string; sheets: string[] }>;
  /** Removes the folder. */
  close(): Promise<void>;
}

/** A converter of up to one mebibyte of CSV, where not said otherwise. */
export async function openXlsxConverter(): Promise<XlsxConverter> {
  const folder = await mkdtemp(join(tmpdir(), "xlsx-to-csv-"));
  const xlsxPath = join(folder, "table.xlsx");
  const csvPath = join(folder, "table.csv");
  return {
    folder,
    xlsxPath,
    csvPath,
    async convert(workbook, { sheet, maxBytes = mebibyte, signal } = {}) {
      await writeFile(xlsxPath, Buffer.isBuffer(workbook) ? workbook : workbookOf(workbook));
      return xlsxToCsv(xlsxPath, csvPath, { sheet, maxBytes, signal });
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
