import { type DateSystem, writeDate } from "./xlsx-dates.ts";
import type { NumberKind } from "./xlsx-number-format.ts";
import type { SharedStrings } from "./xlsx-shared-strings.ts";
import { maxCellLength, tooLong, unescaped } from "./xlsx-text.ts";

/** What the values of a workbook's cells are to be read with. */
export interface CellMeaning {
  readonly strings: SharedStrings;
  readonly dateSystem: DateSystem;
}

/** Also one of more digits than JavaScript holds keeps them. */
const plainInteger = /^-?(?:0|[1-9]\d*)$/;
const plainFraction = /^-?(?:0|[1-9]\d*)\.\d*[1-9]$/;
/** With its point: 15 digits are those that are read back, and to work them out anew took a quarter of the time. */
const longestPlainFraction = 16;

const isPlain = (raw: string): boolean =>
  plainInteger.test(raw) || (raw.length <= longestPlainFraction && plainFraction.test(raw));

/** The shortest numeral that is read back as the same number, or a date. What is no number stays as it stands. */
function numberOrDate(raw: string, kind: NumberKind, { dateSystem }: CellMeaning): string {
  if (kind === "number" && isPlain(raw)) return raw;
  const text = raw.trim();
  const value = Number(text);
  if (text === "" || !Number.isFinite(value)) return text;
  return (kind === "number" ? undefined : writeDate(value, kind, dateSystem)) ?? String(value);
}

/**
 * The value of a cell as a person means it, by the type that it says it has (ECMA-376 part 1, 18.18.11 ST_CellType); that of
 * a formula is the last one that was worked out. An error as `#N/A` is no value: empty.
 * @param raw text of its `v`; rich text stands elsewhere
 * @param kind what a number in it is, by its style
 * @throws DomainError NOT_CSV for a text that is missing or too long
 */
export function cellValue(type: string | undefined, raw: string, kind: NumberKind, meaning: CellMeaning): string {
  switch (type) {
    case undefined:
    case "n":
      return raw === "" ? "" : numberOrDate(raw, kind, meaning);
    case "s":
      return raw === "" ? "" : meaning.strings.at(Number(raw));
    case "b":
      return raw === "1" ? "true" : raw === "0" ? "false" : raw.toLowerCase();
    case "e":
      return "";
    default: {
      // `str`, a formula's text, and `d`, a date that is written as one.
      const text = unescaped(raw);
      if (text.length > maxCellLength) throw tooLong();
      return text;
    }
  }
}
