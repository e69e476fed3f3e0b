import { isNumeral } from "./dialect.ts";

/**
 * Words for a value that is not there, in every column: empty cells, and what pandas, R, SQL dumps and Excel write for it
 * (most are of pandas' `read_csv`, `na_values`).
 */
export const missingWords: readonly string[] = [
  "",
  "NA",
  "N/A",
  "n/a",
  "NaN",
  "nan",
  "null",
  "NULL",
  "#N/A",
  "#NULL!",
  "\\N",
];

/** Those of a dialect that its sender said. */
export const saidMissing = ({ missing }: { readonly missing: readonly string[] }): string[] =>
  [...new Set(missing)].filter((word) => !missingWords.includes(word)).sort();

/** Of these the numbers, whose values count as missing however they are spelled: `-999` is the `-999.0` of a column of floats, too. */
export const missingValues = (dialect: { readonly missing: readonly string[] }): number[] =>
  saidMissing(dialect)
    .filter((word) => isNumeral(word, { decimal: "." }))
    .map(Number);

/** Those that stand for one among numbers only: elsewhere they are a class or a category as often. */
export const missingNumbers: readonly string[] = ["None", "nil", "?", "-", "--", "."];
