import { hasNameOfDigits, nameOfDigits } from "../../tables/column-looks.ts";
import type { CsvReader } from "../../tables/csv-engine.ts";
import type { CsvHead } from "../../tables/csv-head.ts";
import { csvTable, numberIn, withoutMissing } from "../../tables/csv-table.ts";
import { isMissing, isNumeral } from "../../tables/dialect.ts";
import { sqlText } from "../../tables/sql-text.ts";
import { faultOfFile } from "./fault-of-file.ts";
import { areMany, areNearly, askOf, type CountedColumn, type FoundStray } from "./suspects.ts";

/** What was found, and in which columns nothing was looked for: they are too many. */
export interface FoundStrays {
  readonly strays: readonly FoundStray[];
  readonly passedOver: readonly number[];
}

/** Whether a column of text may have many numbers. */
function isSuspect({ type, numbers, values }: CountedColumn, index: number, head: CsvHead): boolean {
  const said = head.saidTypes.get(index);
  if (type !== "text") return false;
  if (said !== undefined) return said === "number";
  // Without its strays it would be text all the same.
  if (hasNameOfDigits(head, index)) return false;
  if (head.looks[index] !== "text") return areMany(numbers, values - numbers);
  const cells = head.firstRows
    .map((row) => row[index] ?? "")
    .filter((cell) => !isMissing(cell, head.dialect, "number"));
  const numerals = cells.filter((cell) => isNumeral(cell.trim(), head.dialect));
  return numerals.length > 0 && areMany(numerals.length, cells.length - numerals.length);
}

/**
 * The columns that have numbers and other text, with the first of it. The file is read once more where counts or first rows
 * show one, and not at all where they don't.
 */
export async function findStrays(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  counted: readonly CountedColumn[],
): Promise<FoundStrays> {
  const suspects = [...counted.keys()]
    .filter((index) => isSuspect(counted[index]!, index, head))
    .map((index) => ({ index }));
  const { found, passedOver } = await askOf(suspects, head, (some) =>
    straysIn(
      reader,
      csvPath,
      head,
      some.map(({ index }) => index),
    ),
  );
  return { strays: found, passedOver };
}

async function straysIn(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  suspects: readonly number[],
): Promise<FoundStray[]> {
  // A number of a form must be looked at as such, or other text would become one.
  const strict = { ...head, dialect: { ...head.dialect, strayColumns: suspects } };
  const cells = suspects.flatMap((index) => {
    const cell = `c${index}`;
    const number = numberIn(index, strict);
    return [
      `${number} IS NOT NULL AS isNumber${index}`,
      `regexp_matches(${cell}, ${sqlText(nameOfDigits)}) AS isName${index}`,
      `CASE WHEN ${number} IS NULL THEN left(${withoutMissing(cell, head.dialect)}, 100) END AS stray${index}`,
    ];
  });
  const counts = suspects.flatMap((index) => [
    `count(stray${index})`,
    `count(CASE WHEN isNumber${index} THEN 1 END)`,
    `arg_min(stray${index}, n)`,
    `min(CASE WHEN stray${index} IS NOT NULL THEN n END)`,
    `count(CASE WHEN isName${index} THEN 1 END)`,
  ]);
  const table = `(SELECT row_number() OVER () AS n, ${cells} FROM ${csvTable(csvPath, head)})`;
  const [row = []] = await reader.query(`SELECT ${counts} FROM ${table}`).catch(async (error: unknown) => {
    throw await faultOfFile(error, csvPath, head);
  });
  return suspects.flatMap((index, at) => {
    const [stray, numeric, firstCell, firstRow, names] = row.slice(at * 5, at * 5 + 5);
    const count = Number(stray);
    const numbers = Number(numeric);
    const isMeant = head.saidTypes.has(index) ? numbers > 0 : areMany(numbers, count);
    if (count === 0 || !isMeant) return [];
    return [
      {
        of: "numbers" as const,
        index,
        count,
        numbers,
        // With a name of digits it is one of names, which would lose their zeros.
        areNearly: areNearly(numbers, count) && Number(names) === 0,
        firstCell: String(firstCell),
        firstRow: Number(firstRow),
      },
    ];
  });
}
