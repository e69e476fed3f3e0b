import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { codeTexts } from "../../src/models/text-codes.ts";
import type { TableColumn, TrainingTable } from "../../src/models/training-table.ts";

export type Row = Record<string, string | number | null>;

/** Where a file of tests/data lies. */
export function datasetPath(file: string): string {
  return fileURLToPath(new URL(`../data/${file}`, import.meta.url));
}

/** The rows of one of its JSON files. */
export function readRows(file: string): Row[] {
  return JSON.parse(readFileSync(datasetPath(file), "utf8"));
}

/** A table from rows; a column with any text is text. */
export function toTable(rows: readonly Row[]): TrainingTable {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = names.map((name): TableColumn => {
    const cells = rows.map((row) => row[name] ?? null);
    return cells.every((cell) => cell === null || typeof cell === "number")
      ? {
          name,
          kind: "number",
          numbers: Float64Array.from(cells, (cell) => (cell === null ? Number.NaN : Number(cell))),
        }
      : { name, kind: "text", ...codeTexts(cells.map((cell) => (cell === null ? null : String(cell)))) };
  });
  return { rowCount: rows.length, columns };
}
