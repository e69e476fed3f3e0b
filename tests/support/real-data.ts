import { readFileSync } from "node:fs";

type Cell = string | number | boolean | null | undefined;

const dataFolder = new URL("../data/", import.meta.url);

function toCell(value: Cell): string {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function jsonToCsv(file: string): Buffer {
  const rows = JSON.parse(readFileSync(new URL(file, dataFolder), "utf8")) as Record<string, Cell>[];
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [names.map(toCell), ...rows.map((row) => names.map((name) => toCell(row[name])))];
  return Buffer.from(`${lines.map((cells) => cells.join(",")).join("\n")}\n`);
}

/** Four years of days in Seattle; target `weather`, five classes. */
export function seattleWeatherCsv(): Buffer {
  return readFileSync(new URL("seattle-weather.csv", dataFolder));
}

/** Penguins with missing cells; target `Species`, three classes. */
export function penguinsCsv(): Buffer {
  return jsonToCsv("penguins.json");
}

/** Cars of the seventies; target `Miles_per_Gallon`, a number that is missing in some rows. */
export function carsCsv(): Buffer {
  return jsonToCsv("cars.json");
}
