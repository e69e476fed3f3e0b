import type { NumberKind } from "./xlsx-number-format.ts";

const dayMs = 86_400_000;
/** Days from 1970 back to the day 0 of each system (ECMA-376 part 1, 18.17.4.1). */
const daysTo1970 = { since1900: 25_569, since1904: 24_107 };
/** 9999-12-31, the last one that Excel knows. */
const lastDay = { since1900: 2_958_465, since1904: 2_957_003 };

/** From which day a workbook counts: its property `date1904` (ECMA-376 part 1, 18.2.28 `workbookPr`). */
export type DateSystem = keyof typeof daysTo1970;

const two = (value: number): string => String(value).padStart(2, "0");

function timeOf(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  const fraction = milliseconds % 1_000;
  const whole = `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return fraction === 0 ? whole : `${whole}.${String(fraction).padStart(3, "0")}`;
}

function dayOf(day: number, system: DateSystem): string {
  // Lotus 1-2-3 took 1900 for a leap year, and Excel has kept that: day 60 was never, those before it are one day off.
  if (system === "since1900" && day === 60) return "1900-02-29";
  const off = system === "since1900" && day < 60 ? 1 : 0;
  return new Date((day - daysTo1970[system] + off) * dayMs).toISOString().slice(0, 10);
}

/**
 * A number of days as `2024-01-31`, `2024-01-31T10:15:00`, or `10:15:00` where it is no whole day of the system; elapsed
 * time as hours, also above 24. To the millisecond: a number holds no more. Undefined where Excel knows no such date.
 */
export function writeDate(days: number, kind: Exclude<NumberKind, "number">, system: DateSystem): string | undefined {
  const milliseconds = Math.round(days * dayMs);
  if (!(days >= 0 && milliseconds < (lastDay[system] + 1) * dayMs)) return undefined;
  if (kind === "elapsed") return timeOf(milliseconds);
  const day = Math.floor(milliseconds / dayMs);
  const time = milliseconds % dayMs;
  // The system of 1900 has no day 0; that of 1904 has one.
  if (day === 0 && (kind === "time" || system === "since1900")) return timeOf(time);
  return kind === "date" && time === 0 ? dayOf(day, system) : `${dayOf(day, system)}T${timeOf(time)}`;
}
