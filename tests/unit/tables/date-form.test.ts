import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type DateForm,
  exampleOfDates,
  isoFormOf,
  momentInSql,
  momentOf,
  secondsOf,
  timestampInSql,
  typeOfForm,
} from "../../../src/tables/date-form.ts";
import { dateFormsOf, isNameOfTime, numberFormsOf } from "../../../src/tables/find-date-forms.ts";
import { sqlText } from "../../../src/tables/sql-text.ts";

const orders = ["year first", "day first", "month first"] as const;
const forms: DateForm[] = [
  ...orders.flatMap((order) => (["-", "/"] as const).map((separator) => ({ order, separator }))),
  { order: "year first", separator: "." },
  { order: "day first", separator: "." },
  ...orders.map((order) => ({ order, separator: "/", hasHalfDays: true }) as const),
  ...orders.map((order) => ({ order, separator: "-", hasZone: true }) as const),
  { order: "day first", separator: ".", hasShortYear: true },
  { order: "month first", separator: "/", hasShortYear: true, hasHalfDays: true, hasZone: true },
  { order: "day first", separator: " ", hasMonthName: true },
  { order: "day first", separator: "-", hasMonthName: true },
  { order: "month first", separator: " ", hasMonthName: true },
  { order: "day first", separator: "-", hasMonthName: true, hasShortYear: true },
  { order: "day first", separator: " ", hasMonthName: true, hasShortYear: true, hasZone: true },
  { order: "month first", separator: " ", hasMonthName: true, hasHalfDays: true },
  { order: "year first", separator: "" },
  { order: "unix seconds", separator: "" },
  { order: "unix milliseconds", separator: "" },
  { order: "time alone", separator: "" },
  { order: "time alone", separator: "", hasHalfDays: true },
];

let instance: DuckDBInstance;
let ask: (sql: string) => Promise<unknown[][]>;
beforeAll(async () => {
  instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  ask = async (sql) => (await connection.runAndReadAll(sql)).getRowsJson();
});
afterAll(() => instance.closeSync());

/** Cells that are nearly dates, or are. */
const digits = (most: number) => fc.nat({ max: most }).map(String);
const padded = (most: number) =>
  fc.oneof(
    digits(most),
    digits(most).map((text) => text.padStart(2, "0")),
  );
const time = fc
  .tuple(padded(25), padded(61), fc.constantFrom("", ":05", ":59.25", ":60", ":00.1234567"))
  .map(([hours, minutes, seconds]) => `${hours}:${minutes}${seconds}`);
const months = "January February March April May June July August September October November December".split(" ");
const anyCase = fc.constantFrom(
  (name: string) => name,
  (name: string) => name.toUpperCase(),
  (name: string) => name.toLowerCase(),
  (name: string) => [...name].map((letter, place) => (place % 2 ? letter.toUpperCase() : letter)).join(""),
);
const monthName = fc
  .tuple(fc.constantFrom(...months, "Sep", "Octo"), fc.constantFrom(3, 3, 4, 9), anyCase)
  .map(([name, length, cased]) => cased(name.slice(0, length)));
const namedDay = fc.oneof(
  fc
    .tuple(padded(31), monthName, fc.constantFrom("2024", "1999", "0024", "24", "70"), fc.constantFrom(" ", "-", "  "))
    .map(([date, name, year, sign]) => [date, name, year].join(sign)),
  fc
    .tuple(monthName, fc.constantFrom(" ", "  "), padded(31), fc.constantFrom(", ", " ", ",  ", ","))
    .map((parts) => `${parts.join("")}2024`),
);
const numberedDay = fc
  .record({
    parts: fc
      .tuple(
        fc.oneof(digits(9_999), fc.constantFrom("2024", "1999", "24")),
        padded(13),
        padded(31),
        fc.constantFrom(...orders),
      )
      .map(([year, month, date, order]) =>
        order === "year first"
          ? [year, month, date]
          : order === "day first"
            ? [date, month, year]
            : [month, date, year],
      ),
    sign: fc.constantFrom("-", "/", ".", " ", ""),
  })
  .map(({ parts, sign }) => parts.join(sign));
const cellOf = (day: fc.Arbitrary<string>) =>
  fc
    .record({
      day,
      time: fc.oneof(
        fc.constant(""),
        fc.tuple(fc.constantFrom(" ", "T", "  "), time).map((both) => both.join("")),
      ),
      half: fc.constantFrom("", "", "", "", " AM", "pm", " p.m."),
      zone: fc.constantFrom("", "", "", "", "Z", "+02:00", " -0530", "+14", " UTC"),
      around: fc.constantFrom("", " ", "\t"),
    })
    .map(({ day, time, half, zone, around }) => around.concat(day, time, half, zone, around));
const anyCellOf = (days: fc.Arbitrary<string>, others: fc.Arbitrary<string>) =>
  fc.oneof(
    { weight: 8, arbitrary: cellOf(days) },
    { weight: 1, arbitrary: cellOf(others) },
    { weight: 1, arbitrary: fc.integer().map(String) },
    fc.string(),
  );
const anyTimeAlone = fc.oneof(
  fc
    .record({
      time: fc.oneof(
        time,
        fc
          .tuple(digits(99_999), padded(61), fc.constantFrom(":05", ":59.25", ""))
          .map(([hours, minutes, rest]) => `${hours}:${minutes}${rest}`),
      ),
      half: fc.constantFrom("", "", " AM", "pm", " p.m."),
      around: fc.constantFrom("", " ", "\t"),
    })
    .map(({ time, half, around }) => around.concat(time, half, around)),
  cellOf(numberedDay),
);

const kinds = ["named", "numbered", "alone"] as const;
const kindOf = ({ order, hasMonthName }: DateForm): (typeof kinds)[number] =>
  order === "time alone" ? "alone" : hasMonthName ? "named" : "numbered";
const cellsOfKind = {
  named: anyCellOf(namedDay, numberedDay),
  numbered: anyCellOf(numberedDay, namedDay),
  alone: anyTimeAlone,
};
const formAndCells = fc
  .oneof(...kinds.map((kind) => fc.constantFrom(...forms.filter((form) => kindOf(form) === kind))))
  .chain((form) => fc.tuple(fc.constant(form), fc.array(cellsOfKind[kindOf(form)], { minLength: 50, maxLength: 50 })));

test("JavaScript and DuckDB take the same cells for the same times, in every form", async () => {
  const dates = { named: 0, numbered: 0, alone: 0 };
  await fc.assert(
    fc.asyncProperty(formAndCells, async ([form, cells]) => {
      const moment = timestampInSql("c", form);
      const values = cells.map((text) => `(${sqlText(text.replaceAll("\0", "").toWellFormed())})`);
      const rows = await ask(
        `SELECT c, epoch_us(${moment})::VARCHAR, ${momentInSql(moment, typeOfForm(form))} FROM (VALUES ${values}) AS t(c)`,
      );
      for (const [text, microseconds, told] of rows) {
        const ours = secondsOf(String(text), form);
        if (ours !== undefined) dates[kindOf(form)]++;
        const theirs = microseconds === null ? undefined : Number(microseconds) / 1e6;
        // Beyond 2^53 microseconds a number rounds.
        const isAlike = ours === theirs || Math.abs(ours! - theirs!) < 1e-3;
        expect(isAlike, JSON.stringify([text, form, ours, theirs])).toBe(true);
        if (ours !== undefined && Number.isInteger(ours)) expect(momentOf(ours * 1_000, typeOfForm(form))).toBe(told);
      }
    }),
    { numRuns: 400 },
  );
  // Of 20,000 cells 70 and more are of each kind: so few only where a generator is broken.
  expect(Math.min(...Object.values(dates))).toBeGreaterThan(20);
});

test.each(forms)("what a form shows of itself is a date of it: $order $separator", async (form) => {
  expect(dateFormsOf([exampleOfDates(form)]).length + numberFormsOf([exampleOfDates(form)]).length).toBeGreaterThan(0);
  const [[iso] = []] = await ask(
    `SELECT ${momentInSql(timestampInSql(sqlText(exampleOfDates(form)), form), typeOfForm(form))}`,
  );
  expect(String(iso)).toMatch(/^2024-01-31(T1[34]:30:00)?$|^14:30:00$/);
  expect(secondsOf(String(iso), isoFormOf(typeOfForm(form)))).toBe(secondsOf(exampleOfDates(form), form));
});

test.each([
  [["2024-01-31", "2024-02-01"], ["year first -"]],
  [["31.01.2024", "1.2.2024"], ["day first ."]],
  [
    ["03/04/2024", "04/05/2024"],
    ["day first /", "month first /"],
  ],
  [
    ["03/04/2024", "13/05/2024"],
    ["day first /", "month first /"],
  ],
  [["13/04/2024", "14/05/2024"], ["day first /"]],
  [["04/13/2024"], ["month first /"]],
  [["31.12.24"], ["day first ."]],
  [["12 Jan 2024", "1 september 2023", "5 Sept 2023", "31 MAY 2024 10:00"], ["day first  "]],
  [["12-Jan-2024", "1-FEB-2024"], ["day first -"]],
  [["12-Jan-24", "1-FEB-99"], ["day first -"]],
  [["Jan 12, 2024", "January 12 2024", "sept  1, 2024 2:30 PM", "may 2, 2024 11:00 am"], ["month first  "]],
  [["12 Jan 2024", "Jan 12, 2024"], []],
  [["12 Jan 2024", "12-Jan-2024"], []],
  [["30 Feb 2024"], []],
  [["12 Janu 2024"], []],
  [["12 ſep 2024"], []],
  [["Jan 2024"], []],
  [["2024-Jan"], []],
  [["January", "May"], []],
  [["May 12"], []],
  [["10-11-12"], []],
  [["1.2.3"], []],
  [["192.168.1.1"], []],
  [["2024-13-01"], []],
  [["10.1.20"], []],
  [["31.01.2024", "2024-01-31"], []],
  [["8:15", "17:30", "00:00"], ["time alone "]],
  [["08:15:30", "27:30:00", "120:00:00.5"], ["time alone "]],
  [["8:15 AM", "12:30 p.m."], ["time alone "]],
  [["8:15 AM", "17:30"], []],
  [["25:23", "21:15"], []],
  [["3:2", "1:0"], []],
  [["08:15Z"], []],
  [["00:1A:2B:3C:4D:5E"], []],
  [["08:15", "2024-01-31"], []],
  [[], []],
])("%j are dates: %j", (cells, expected) => {
  expect(dateFormsOf(cells).map(({ order, separator }) => `${order} ${separator}`)).toEqual(expected);
});

test("names say that numbers are times", () => {
  expect(["created_at", "eventTime", "Date", "unix ts", "timestamp"].every(isNameOfTime)).toBe(true);
  expect(["update", "candidate", "rate", "lifetimes", "category", "attempts"].some(isNameOfTime)).toBe(false);
});
