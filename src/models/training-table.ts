import type { CodedTexts } from "./text-codes.ts";

/** How a column's numbers are written. */
export interface WrittenNumbers {
  readonly decimal: "." | ",";
  /** What stands between groups of three digits, and the sign before or behind each number; absent of plain numbers. */
  readonly form?: {
    readonly decimal: "." | ",";
    readonly thousands: "" | "," | "." | " " | "'";
    readonly before: string;
    readonly after: string;
  };
}

/** A column of numbers; NaN is a missing cell. */
export interface NumberColumn {
  readonly name: string;
  readonly kind: "number";
  readonly numbers: Float64Array;
  /** How its numbers are written, where cells that are none are missing ones. */
  readonly written?: WrittenNumbers | undefined;
  /** How classes of it are told, where that is not as JavaScript spells numbers: `1.0`, by `1`. */
  readonly spelled?: Readonly<Record<string, string>> | undefined;
}

/** How a column's dates are written, or its times. */
export interface WrittenDates {
  readonly order: "year first" | "day first" | "month first" | "unix seconds" | "unix milliseconds" | "time alone";
  readonly separator: "-" | "/" | "." | " " | "";
  readonly hasMonthName?: true;
  readonly hasShortYear?: true;
  readonly hasHalfDays?: true;
  readonly hasZone?: true;
}

/** A column of dates, with or without times, or of times alone: seconds of Unix time, or since midnight; NaN is a missing cell. */
export interface DateColumn {
  readonly name: string;
  readonly kind: "date";
  readonly numbers: Float64Array;
  readonly written: WrittenDates;
  /** Whether cells that are no dates are missing ones. */
  readonly hasStrays: boolean;
}

/** A column of truths: 1, 0, and NaN for a missing cell. */
export interface BooleanColumn {
  readonly name: string;
  readonly kind: "boolean";
  readonly numbers: Float64Array;
}

/** A column of text. */
export interface TextColumn extends CodedTexts {
  readonly name: string;
  readonly kind: "text";
}

/** What stands in a cell of text; null where it is missing. */
export const textAt = ({ codes, values }: CodedTexts, row: number): string | null => values[codes[row]!]!;

/** One column of a table in memory. */
export type TableColumn = NumberColumn | TextColumn | DateColumn | BooleanColumn;

/** A table in memory, column by column. */
export interface TrainingTable {
  readonly rowCount: number;
  readonly columns: readonly TableColumn[];
  /** Words for a missing value that its sender said. */
  readonly missing?: readonly string[] | undefined;
}
