import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { textAt } from "../../../src/models/training-table.ts";
import { loadTable } from "../../../src/training/load-table.ts";

const folder = await mkdtemp(path.join(tmpdir(), "read-texts-"));

/** Of all lengths around the twelve bytes that stand in a cell, with characters of several bytes, and what differs in one place. */
const textOf = (row: number, kinds: number): string =>
  `${"é".repeat(row % 4)}${"x".repeat((row * 7) % 13)}${(row * 31) % kinds}`;

test.each([
  [10, Uint8Array],
  [255, Uint8Array],
  [300, Uint16Array],
  [70_000, Uint32Array],
])("texts are those of the file, whatever their length and how many differ: %i", async (kinds, codes) => {
  const cells = Array.from({ length: 160_000 }, (_, row) => (row % 11 === 5 ? "" : textOf(row, kinds)));
  const file = path.join(folder, `${kinds}.csv`);
  await writeFile(file, `a,b\n${cells.map((cell, row) => `${cell},${row}\n`).join("")}`);
  const columns = [
    { name: "a", type: "text" as const },
    { name: "b", type: "number" as const },
  ];
  // Fewer rows than there are: the codes have to grow, as they do of a file that says nothing of its rows.
  const { columns: [column] = [] } = await loadTable(file, columns);
  if (column?.kind !== "text") throw new Error("No texts.");
  expect(cells.findIndex((cell, row) => (textAt(column, row) ?? "") !== cell)).toBe(-1);
  expect(column.codes).toHaveLength(cells.length);
  expect(column.values).toHaveLength(new Set(cells).size);
  if (kinds !== 10 && kinds !== 255) expect(column.codes).toBeInstanceOf(codes);
});
