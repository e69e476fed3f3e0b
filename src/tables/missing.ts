/**
 * What stands for a value that is not there: empty cells, and what pandas, R, SQL dumps, Excel and people write. The words
 * are those of pandas' `read_csv` (`na_values`), without `1.#IND` and the like, and with `?`, `-`, `--`, `.`, `nil`.
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
  "None",
  "nil",
  "?",
  "-",
  "--",
  ".",
  "#N/A",
  "#NULL!",
  "\\N",
];

const words = new Set(missingWords);

/** Whether a cell is one of them, to the letter. */
export const isMissing = (cell: string): boolean => words.has(cell);
