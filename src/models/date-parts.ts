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

/** A time in seconds of Unix time by ISO 8601, to the millisecond; its day alone where it is midnight. */
export const isoOf = (seconds: number): string =>
  new Date(Math.round(seconds * 1_000)).toISOString().replace(/(T00:00:00)?(\.000)?Z$/, "");

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
