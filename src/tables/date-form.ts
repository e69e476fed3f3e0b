import type { MomentType } from "./column-type.ts";
import { matchersOf } from "./matchers.ts";
import { monthInSql, monthOf, patternOfMonths } from "./month-names.ts";
import { sqlText } from "./sql-text.ts";

/** How the dates of one column are written; times may stand behind each, or alone. */
export interface DateForm {
  readonly order: "year first" | "day first" | "month first" | "unix seconds" | "unix milliseconds" | "time alone";
  /** Between year, month and day; nothing in eight digits, unix times and times alone. */
  readonly separator: "-" | "/" | "." | " " | "";
  /** Whether months are written by their English names; the day or the month comes first then. */
  readonly hasMonthName?: true;
  /** Two digits: 70 to 99 are of the last century, as in POSIX' `strptime` but for 69. */
  readonly hasShortYear?: true;
  /** Whether times are told by AM and PM. */
  readonly hasHalfDays?: true;
  /** Whether times may have an offset from UTC, or `Z`. */
  readonly hasZone?: true;
}

const blank = "[ \\t]*";
const seconds = "[0-5]\\d(?:\\.\\d{1,9})?";
const clock = `(?:[01]?\\d|2[0-3]):[0-5]\\d(?::${seconds})?`;
/** What took longer than a day has seconds: 25:23 is a score as likely. */
const elapsed = `\\d{2,4}:[0-5]\\d:${seconds}`;
const halfDayClock = "(?:0?[1-9]|1[0-2]):[0-5]\\d(?::[0-5]\\d)?";
const zone = "Z|UTC|[+-]\\d{2}(?::?\\d{2})?";
/** Up to the year 5138: no sum of them overflows. */
const unixPatterns = { "unix seconds": "-?\\d{1,11}", "unix milliseconds": "-?\\d{1,14}" } as const;

type UnixForm = DateForm & { readonly order: keyof typeof unixPatterns };
const isUnix = (form: DateForm): form is UnixForm => form.order in unixPatterns;

/** Groups of the pattern of a form that is no unix time. */
const groups = { time: 4, halfDay: 5, zone: 6 } as const;

const places = {
  "year first": { year: 1, month: 2, day: 3 },
  "day first": { year: 3, month: 2, day: 1 },
  "month first": { year: 3, month: 1, day: 2 },
} as const;

/** A pattern of all cells that are dates of the form, but for days that a month has not; JavaScript and DuckDB read it alike. */
function patternOfDates(form: DateForm): string {
  const { order, separator, hasMonthName, hasShortYear, hasHalfDays, hasZone } = form;
  if (isUnix(form)) return `${blank}${unixPatterns[form.order]}${blank}`;
  const halfDays = `(${halfDayClock}) ?([AaPp])\\.?[Mm]\\.?`;
  if (order === "time alone") return blank + (hasHalfDays ? halfDays : `(${clock}|${elapsed})()`) + blank;
  const year = hasShortYear ? "(\\d{2})" : "([1-9]\\d{3})";
  // Of names as 10.1.20 nobody would say that they are dates.
  const part = separator === "" || (hasShortYear && separator === ".") ? "(\\d{2})" : "(\\d{1,2})";
  const parts = order === "year first" ? [year, part, part] : [part, part, year];
  if (hasMonthName) parts[places[order as keyof typeof places].month - 1] = `(${patternOfMonths})`;
  // Jan 12, 2024: commas are left out as often, and no other sign stands there.
  if (hasMonthName && order === "month first") parts[1] += ",?";
  const between = separator === "" ? "" : separator === " " ? " +" : `[${separator}]`;
  const time = hasHalfDays ? halfDays : `(${clock})()`;
  return `${blank}${parts.join(between)}(?:(?:T|[ \\t]+)${time}(?: ?(${hasZone ? zone : ""}))?)?${blank}`;
}

const matcherOf = matchersOf<DateForm>(
  patternOfDates,
  ({ order, separator, hasMonthName, hasShortYear, hasHalfDays, hasZone }) =>
    `${order}${separator}${hasMonthName}${hasShortYear}${hasHalfDays}${hasZone}`,
);

/**
 * Seconds of Unix time, taken as UTC where no offset says another, or since midnight of a time alone; undefined of a cell that is
 * none of the form.
 */
export function secondsOf(cell: string, form: DateForm): number | undefined {
  const match = matcherOf(form).exec(cell);
  if (match === null) return undefined;
  if (form.order === "time alone") return secondsOfTime(match[1]!, match[2]!);
  if (isUnix(form)) return Number(cell) / (form.order === "unix seconds" ? 1 : 1_000);
  const place = places[form.order as keyof typeof places];
  const short = match[place.year]!;
  const year = Number(form.hasShortYear ? centuryOf(short) + short : short);
  const month = form.hasMonthName ? monthOf(match[place.month]!) : Number(match[place.month]);
  const day = Number(match[place.day]);
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const offset = offsetSeconds(match[groups.zone] ?? "");
  return date.getTime() / 1_000 + secondsOfTime(match[groups.time] ?? "", match[groups.halfDay] ?? "") - offset;
}

const centuryOf = (shortYear: string): string => (shortYear < "70" ? "20" : "19");

function secondsOfTime(time: string, halfDay: string): number {
  if (time === "") return 0;
  const [hours = "", minutes = "", seconds = "0"] = time.split(":");
  const hour = halfDay === "" ? Number(hours) : (Number(hours) % 12) + (/p/i.test(halfDay) ? 12 : 0);
  // DuckDB keeps microseconds.
  const [whole, fraction = ""] = seconds.split(".");
  return hour * 3_600 + Number(minutes) * 60 + Number(`${whole}.${fraction.slice(0, 6)}`);
}

function offsetSeconds(offset: string): number {
  const [, sign, hours = "0", minutes = "0"] = /^([+-])(\d{2}):?(\d{2})?$/.exec(offset) ?? [];
  if (sign === undefined) return 0;
  return (sign === "-" ? -1 : 1) * (Number(hours) * 3_600 + Number(minutes) * 60);
}

/** SQL for the TIMESTAMP of a cell that is a date of the form without a time. */
function dayInSql(cell: string, { order, separator }: DateForm): string {
  const parts = { "year first": "%Y %m %d", "day first": "%d %m %Y", "month first": "%m %d %Y" };
  return `try_strptime(trim(${cell}, ' \t'), '${parts[order as keyof typeof parts].replaceAll(" ", separator)}')`;
}

/** SQL for the TIMESTAMP of a cell of text, as `secondsOf` has it; NULL of what is none of the form. */
export function timestampInSql(cell: string, form: DateForm): string {
  const pattern = sqlText(`^${patternOfDates(form)}$`);
  const isOfForm = `regexp_matches(${cell}, ${pattern})`;
  const part = (group: number): string => `regexp_extract(${cell}, ${pattern}, ${group})`;
  if (form.order === "time alone") {
    const time = `TIMESTAMP 'epoch' + TRY_CAST(${form.hasHalfDays ? part(1) : `trim(${cell}, ' \t')`} AS INTERVAL)`;
    return `CASE WHEN ${isOfForm} THEN ${form.hasHalfDays ? withHalfDays(time, part(2)) : time} END`;
  }
  if (isUnix(form)) {
    const microseconds = form.order === "unix seconds" ? 1_000_000 : 1_000;
    return `CASE WHEN ${isOfForm} THEN make_timestamp(CAST(trim(${cell}, ' \t') AS BIGINT) * ${microseconds}) END`;
  }
  const { year, month, day } = places[form.order as keyof typeof places];
  const century = form.hasShortYear ? `CASE WHEN ${part(year)} < '70' THEN '20' ELSE '19' END || ` : "";
  const monthPart = form.hasMonthName ? "@" : `\\${month}`;
  let iso = `${century}regexp_replace(${cell}, ${pattern}, '\\${year}-${monthPart}-\\${day} \\${groups.time}')`;
  // Not by try_strptime, which takes longest where a format fails, as one for short names does of those in full.
  if (form.hasMonthName) iso = `replace(${iso}, '@', ${monthInSql(cell)})`;
  let sql = `TRY_CAST(rtrim(${iso}) AS TIMESTAMP)`;
  const isPlain = !form.hasMonthName && !form.hasShortYear && !form.hasHalfDays && !form.hasZone;
  // To write a cell anew takes twice the time of matching it: most need not be.
  if (isPlain && form.order === "year first" && form.separator === "-")
    sql = `TRY_CAST(trim(${cell}, ' \t') AS TIMESTAMP)`;
  else if (isPlain) sql = `CASE WHEN length(${cell}) <= 10 THEN ${dayInSql(cell, form)} ELSE ${sql} END`;
  if (form.hasHalfDays) sql = withHalfDays(sql, part(groups.halfDay));
  if (form.hasZone) {
    const digits = `replace(substr(${part(groups.zone)}, 2), ':', '')`;
    const minutes = `coalesce(TRY_CAST(left(${digits}, 2) AS INTEGER) * 60 + coalesce(TRY_CAST(substr(${digits}, 3) AS INTEGER), 0), 0)`;
    sql = `${sql} - to_minutes(CASE WHEN ${part(groups.zone)}[1] = '-' THEN -1 ELSE 1 END * ${minutes})`;
  }
  return `CASE WHEN ${isOfForm} THEN ${sql} END`;
}

/** SQL for the TIMESTAMP of one by a clock of twelve hours. */
const withHalfDays = (timestamp: string, halfDay: string): string =>
  `list_transform([${timestamp}], lambda t: t + to_hours(CASE WHEN hour(t) = 12 THEN -12 ELSE 0 END + CASE WHEN upper(${halfDay}) = 'P' THEN 12 ELSE 0 END))[1]`;

/** SQL for how a TIMESTAMP of a column of the type is told, as `momentOf` tells it. */
export const momentInSql = (timestamp: string, type: MomentType): string =>
  type === "date"
    ? isoInSql(timestamp)
    : `format('{:02d}', epoch_us(${timestamp}) // 3600000000) || rtrim(rtrim(strftime(${timestamp}, ':%M:%S.%f'), '0'), '.')`;

const isoInSql = (timestamp: string): string =>
  `CASE WHEN ${timestamp} = date_trunc('day', ${timestamp}) THEN strftime(${timestamp}, '%Y-%m-%d') ELSE rtrim(rtrim(strftime(${timestamp}, '%Y-%m-%dT%H:%M:%S.%f'), '0'), '.') END`;

/** Milliseconds since 1970 by ISO 8601, without a time where it is midnight; of times the hours, minutes and seconds since midnight. */
export function momentOf(milliseconds: number, type: MomentType): string {
  if (type === "date") return isoOf(milliseconds);
  const hours = String(Math.floor(milliseconds / 3_600_000)).padStart(2, "0");
  const rest = new Date(milliseconds).toISOString().slice(13, -1);
  return hours + rest.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

const isoOf = (milliseconds: number): string =>
  new Date(milliseconds)
    .toISOString()
    .slice(0, -1)
    // An offset may lead beyond the year 9999, which JavaScript writes as +010000.
    .replace(/^\+0*/, "")
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/(T00:00:00)?\.$/, "");

/** The last of January 2024, or half past two, as the form writes it, for who is told of it. */
export function exampleOfDates(form: DateForm): string {
  const { order, separator, hasMonthName, hasShortYear, hasHalfDays, hasZone } = form;
  if (order === "unix seconds") return "1706659200";
  if (order === "unix milliseconds") return "1706659200000";
  if (order === "time alone") return hasHalfDays ? "2:30 PM" : "14:30:00";
  const year = hasShortYear ? "24" : "2024";
  const parts = {
    "year first": [year, "01", "31"],
    "day first": ["31", hasMonthName ? "Jan" : "01", year],
    "month first": hasMonthName ? ["Jan", "31,", year] : ["01", "31", year],
  };
  return `${parts[order].join(separator)}${hasHalfDays ? " 2:30 PM" : hasZone ? " 14:30:00+01:00" : ""}`;
}

const isoForms: Record<MomentType, DateForm> = {
  date: { order: "year first", separator: "-", hasZone: true },
  time: { order: "time alone", separator: "" },
};

/** All forms of times without a date: a cell is of one of them at most. */
export const timeForms: readonly DateForm[] = [isoForms.time, { ...isoForms.time, hasHalfDays: true }];

/** The type of columns that are written so. */
export const typeOfForm = ({ order }: Pick<DateForm, "order">): MomentType =>
  order === "time alone" ? "time" : "date";

/** ISO 8601, dates with or without a time: every column of the type takes it in predictions, however its table wrote them. */
export const isoFormOf = (type: MomentType): DateForm => isoForms[type];

/** What `secondsOf` says of a cell as its table wrote it, or by ISO 8601. */
export const secondsAsWritten = (cell: string, written: DateForm): number | undefined =>
  secondsOf(cell, written) ?? secondsOf(cell, isoFormOf(typeOfForm(written)));
