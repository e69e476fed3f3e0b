import { type DateForm, secondsOf } from "./date-form.ts";
import { withoutFewWords } from "./dialect.ts";
import { patternOfMonths } from "./month-names.ts";

/** A date at the beginning of a cell: what stands in its first and third place, and between them. */
const beginning = /^[ \t]*(\d{1,4})([-/.])\d{1,2}\2(\d{1,4})(?!\d)/;

/** With the name of a month behind its day: the sign between them, and the year. */
const dayAndName = new RegExp(`^[ \\t]*\\d{1,2}([- ]) *${patternOfMonths}\\1 *(\\d{4}|\\d{2})(?!\\d)`);
const nameAndDay = new RegExp(`^[ \\t]*${patternOfMonths} +\\d{1,2},? +\\d{4}(?!\\d)`);

type Written = Pick<DateForm, "order" | "separator" | "hasMonthName" | "hasShortYear">;

const timeAlone = /^[ \t]*\d{1,4}:\d{2}(?!\d)/;

/** In which orders a cell may be one, by its length of year and its separator; none where it is no date and no time. */
function writtenIn(cell: string): Written[] {
  if (timeAlone.test(cell)) return [{ order: "time alone", separator: "" }];
  if (nameAndDay.test(cell)) return [{ order: "month first", separator: " ", hasMonthName: true }];
  const [, between, year = ""] = dayAndName.exec(cell) ?? [];
  if (between !== undefined) {
    const separator = between as DateForm["separator"];
    return [{ order: "day first", separator, hasMonthName: true, ...(year.length === 2 && { hasShortYear: true }) }];
  }
  const [, first = "", sign = "", third = ""] = beginning.exec(cell) ?? [];
  const separator = sign as DateForm["separator"];
  if (first.length === 4) return [{ order: "year first", separator }];
  if (first.length > 2 || (third.length !== 4 && third.length !== 2)) return [];
  const hasShortYear = third.length === 2;
  // Numbers of parts as 10-11-12 are names more often.
  if (hasShortYear && separator === "-") return [];
  const how = { separator, ...(hasShortYear && { hasShortYear }) } as const;
  // With points it is the day in every country.
  return separator === "."
    ? [{ order: "day first", ...how }]
    : [
        { order: "day first", ...how },
        { order: "month first", ...how },
      ];
}

/**
 * The forms of which all of a column's first values are dates or times, but for a tenth that may be words: two where day and month can't
 * be told apart by them, or where some have the day first and others the month.
 */
export function dateFormsOf(values: readonly string[]): DateForm[] {
  const cells = withoutFewWords(values);
  const hasHalfDays = cells.some((cell) => /\d ?[AaPp]\.?[Mm]\.?[ \t]*$/.test(cell));
  const hasZone = cells.some((cell) => /:\d{2}(\.\d+)? ?(Z|UTC|[+-]\d{2}(:?\d{2})?)[ \t]*$/.test(cell));
  const forms = (cells[0] === undefined ? [] : writtenIn(cells[0])).map(
    (written): DateForm => ({
      ...written,
      ...(hasHalfDays && { hasHalfDays }),
      ...(hasZone && written.order !== "time alone" && { hasZone }),
    }),
  );
  const isOf = (form: DateForm) => (cell: string) => secondsOf(cell, form) !== undefined;
  const possible = forms.filter((form) => cells.some(isOf(form)));
  return cells.every((cell) => possible.some((form) => isOf(form)(cell))) ? possible : [];
}

const wordsOfTime = new Set("date datetime epoch time timestamp ts unix utc at".split(" "));

/** Whether a column's name says that its numbers may be times: `created_at`, `timestamp`, `eventTime`. */
export const isNameOfTime = (name: string): boolean =>
  name
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toLowerCase()
    .split(/[^a-z]+/)
    .some((word) => wordsOfTime.has(word));

/** Whole numbers that may be times, each from 2000 to 2100. */
const numberForms: readonly DateForm[] = [
  { order: "unix seconds", separator: "" },
  { order: "unix milliseconds", separator: "" },
  { order: "year first", separator: "" },
];
const [earliest, latest] = [Date.UTC(2000) / 1_000, Date.UTC(2100) / 1_000];

/** Whether a number in such a column is one of the time that its form says. */
export function isLikelyTime(cell: string, form: DateForm): boolean {
  const seconds = secondsOf(cell, form);
  return seconds !== undefined && seconds >= earliest && seconds < latest;
}

/** SQL that is true of a TIMESTAMP of such a column. */
export const isLikelyInSql = (timestamp: string): string =>
  `${timestamp} >= TIMESTAMP '2000-01-01' AND ${timestamp} < TIMESTAMP '2100-01-01'`;

/** The form in which a column's first whole numbers are times, if they are. */
export const numberFormsOf = (values: readonly string[]): DateForm[] =>
  numberForms.filter((form) => values.length > 0 && values.every((cell) => isLikelyTime(cell, form)));

/** The same where the sender says that they are times: eight digits of any year, and unix times of which one is a likely one. */
export const saidNumberFormsOf = (values: readonly string[]): DateForm[] =>
  numberForms
    .filter((form) => values.every((cell) => secondsOf(cell, form) !== undefined))
    .filter((form) => form.order === "year first" || values.some((cell) => isLikelyTime(cell, form)))
    .slice(-1);
