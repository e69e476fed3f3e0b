import type { WrittenDates } from "./training-table.ts";

/**
 * What a model may learn of a date: its parts as pandas' `dt` names them, and `days` since the first day that was learnt from,
 * with fractions. Monday is day 0 of the week.
 */
export const dateParts = ["year", "month", "day", "dayofweek", "hour", "days"] as const;
export type DatePart = (typeof dateParts)[number];

const secondsOfDay = 86_400;
/** 1 January 1970 was a Thursday. */
const firstDayOfWeek = 3;

/** The midnight before a time, both in seconds of Unix time. */
export const midnightBefore = (seconds: number): number => Math.floor(seconds / secondsOfDay) * secondsOfDay;

type Written = Pick<WrittenDates, "order">;

/** Whether a column has times alone, of a day or of a length. */
export const areTimesAlone = ({ order }: Written): boolean => order === "time alone";

/**
 * A moment by ISO 8601, to the millisecond: seconds of Unix time, the day alone where it is midnight; or seconds since midnight of
 * a time alone, whose hours may be more than a day has.
 */
export function momentOf(seconds: number, written: Written): string {
  const milliseconds = Math.round(seconds * 1_000);
  const iso = new Date(milliseconds).toISOString();
  if (!areTimesAlone(written)) return iso.replace(/(T00:00:00)?(\.000)?Z$/, "");
  const hours = Math.floor(milliseconds / 3_600_000);
  return `${String(hours).padStart(2, "0")}${iso.slice("1970-01-01T00".length, -1).replace(/\.?0*$/, "")}`;
}

/** Which parts a model may learn of a column's moments: of times alone how long they are. */
export const partsOf = (written: Written): readonly DatePart[] => (areTimesAlone(written) ? ["days"] : dateParts);

/** A part of a time in seconds of Unix time; NaN of one that is missing. @param origin from which `days` are counted */
export function datePartOf(part: DatePart, seconds: number, origin: number): number {
  if (Number.isNaN(seconds)) return Number.NaN;
  if (part === "days") return (seconds - origin) / secondsOfDay;
  const days = Math.floor(seconds / secondsOfDay);
  if (part === "dayofweek") return (((days + firstDayOfWeek) % 7) + 7) % 7;
  if (part === "hour") return Math.floor((seconds - days * secondsOfDay) / 3_600);
  const date = new Date(days * secondsOfDay * 1_000);
  return part === "year" ? date.getUTCFullYear() : part === "month" ? date.getUTCMonth() + 1 : date.getUTCDate();
}
