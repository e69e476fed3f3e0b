import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The data folder of vega-datasets: its entry stands in `build/`, beside it. */
const folder = join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "..", "data");

function toCell(value: unknown): string {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function jsonToCsv(name: string): Buffer {
  const rows = JSON.parse(readFileSync(join(folder, name), "utf8")) as Record<string, unknown>[];
  const columns = Object.keys(rows[0] ?? {});
  const lines = [columns.map(toCell), ...rows.map((row) => columns.map((column) => toCell(row[column])))];
  return Buffer.from(`${lines.map((line) => line.join(",")).join("\n")}\n`);
}

/** Four years of weather in Seattle: 1,461 days, five kinds of weather. */
export const seattleWeatherCsv = (): Buffer => readFileSync(join(folder, "seattle-weather.csv"));

/** 344 penguins of three species, with missing values. */
export const penguinsCsv = (): Buffer => jsonToCsv("penguins.json");

/** 406 cars of 1970 to 1982, with missing values and text. */
export const carsCsv = (): Buffer => jsonToCsv("cars.json");
