/** Tables with all that a column can be, as a file and as the trainers take them. */

import { momentOf } from "../../src/models/date-parts.ts";
import { seededRandom } from "../../src/models/split-rows.ts";
import { codeTexts } from "../../src/models/text-codes.ts";
import type { TableColumn, TrainingTable } from "../../src/models/training-table.ts";

const random = seededRandom(11);
const sometimes = <Value>(share: number, value: Value): Value | null => (random() < share ? null : value);

/** Dates with times, times alone, texts of many values, truths, names that XGBoost does not take, and gaps in each; -99 is a missing number. */
const rows = Array.from({ length: 600 }, (_, row) => {
  const size = Math.round(random() * 1_000) / 10;
  const city = `city ${row % 3 === 0 ? row % 5 : row % 140}`;
  const at = Date.UTC(2023, row % 12, 1 + (row % 28), row % 24) / 1_000;
  const amount = size * 2 + (row % 5) * 10 + (row % 12) * 3 + ((row * 4_973) % 110_000) / 5_000 + random();
  return {
    size: sometimes(0.1, size),
    city: sometimes(0.1, city),
    at: sometimes(0.1, at),
    took: sometimes(0.1, (row * 4_973) % 110_000),
    isOpen: sometimes(0.1, row % 4 === 0),
    'a [b] < "c, d': sometimes(0.1, row % 2 === 0 ? "x,y" : 'say "z"'),
    amount,
    kind: amount < 100 ? "small" : amount < 170 ? "middling" : "large",
    isLarge: amount < 150 ? "no" : "yes",
  };
});
type Name = keyof (typeof rows)[number];
const names = Object.keys(rows[0]!) as Name[];

function columnOf(name: Name): TableColumn {
  const cells = rows.map((row) => row[name]);
  const numbers = Float64Array.from(cells, (cell) => (cell === null ? Number.NaN : Number(cell)));
  if (name === "at")
    return { name, kind: "date", numbers, written: { order: "year first", separator: "-" }, hasStrays: false };
  if (name === "took")
    return { name, kind: "date", numbers, written: { order: "time alone", separator: "" }, hasStrays: false };
  if (name === "isOpen") return { name, kind: "boolean", numbers };
  if (name === "size" || name === "amount") return { name, kind: "number", numbers };
  return { name, kind: "text", ...codeTexts(cells as (string | null)[]) };
}

function textOf(name: Name, cell: unknown): string {
  if (cell === null) return name === "size" ? "-99" : "";
  if (name === "at") return new Date(Number(cell) * 1_000).toISOString().slice(0, 19);
  if (name === "took") return momentOf(Number(cell), { order: "time alone" });
  const text = String(cell);
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const line = (cells: readonly string[]): string => `${cells.join(",")}\n`;

export const mixedTable: TrainingTable = { rowCount: rows.length, columns: names.map(columnOf), missing: ["-99"] };
export const mixedRows: readonly Record<string, unknown>[] = rows;
export const mixedFeatures: readonly string[] = names.slice(0, 6);
export const mixedCsv: string =
  line(names.map((name) => textOf("city", name))) +
  rows.map((row) => line(names.map((name) => textOf(name, row[name])))).join("");
