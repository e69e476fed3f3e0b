import { sqlText } from "./sql-text.ts";

/** In any case of letters: what programs, databases and people write. */
const words = { true: ["true", "t", "yes", "y"], false: ["false", "f", "no", "n"] } as const;

/** The truth that a cell tells; undefined of another one. */
export function truthOf(cell: string): boolean | undefined {
  const word = cell.trim().toLowerCase();
  if ((words.true as readonly string[]).includes(word)) return true;
  return (words.false as readonly string[]).includes(word) ? false : undefined;
}

/** SQL for the BOOLEAN of a cell of text; NULL of what is none. */
export function truthInSql(cell: string): string {
  const list = (of: readonly string[]): string => of.map(sqlText).join(", ");
  return `CASE WHEN lower(trim(${cell})) IN (${list(words.true)}) THEN true WHEN lower(trim(${cell})) IN (${list(words.false)}) THEN false END`;
}
