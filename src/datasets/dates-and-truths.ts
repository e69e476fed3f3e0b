import { DomainError } from "../errors.ts";
import type { CsvReader } from "../tables/csv-engine.ts";
import type { CsvHead } from "../tables/csv-head.ts";
import { csvTable, withoutMissing } from "../tables/csv-table.ts";
import { type DateForm, timestampInSql } from "../tables/date-form.ts";
import { isMissing } from "../tables/dialect.ts";
import { dateFormsOf, isLikelyInSql, isNameOfTime, numberFormsOf } from "../tables/find-date-forms.ts";
import { truthInSql, truthOf } from "../tables/truth.ts";
import { faultOfFile } from "./fault-of-file.ts";
import {
  areMany,
  areNearly,
  type CountedColumn,
  columnsAtOnce,
  mostColumns,
  type StrayCells,
  withLines,
} from "./find-strays.ts";

/** Columns that are dates or booleans, and cells between dates that are none, whatever became of their column. */
export interface DatesAndTruths {
  readonly dates: ReadonlyMap<number, DateForm>;
  readonly booleans: ReadonlySet<number>;
  /** Values of both. */
  readonly filled: ReadonlyMap<number, number>;
  readonly strays: readonly StrayCells[];
}

/** A column that may be one of them: by its first values dates in one of these forms, or a boolean where there is none. */
interface Suspect {
  readonly index: number;
  readonly forms: readonly DateForm[];
  /** Whether it is one of numbers, which are times only where all of them are likely ones. */
  readonly isOfNumbers: boolean;
}

const firstValues = 50;

/**
 * The columns whose values are dates in one form, times as numbers, or truths. The file is read once more where first values
 * show one, and not at all where they don't.
 * @throws DomainError DATE_ORDER_UNKNOWN where day and month can't be told apart
 */
export async function findDatesAndTruths(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  counted: readonly (CountedColumn | undefined)[],
): Promise<DatesAndTruths> {
  const values = await firstValuesOf(reader, csvPath, head, counted);
  const suspects = [...counted.keys()]
    .flatMap((index) => suspectOf(index, values[index]!, head, counted[index]))
    .slice(0, mostColumns);
  const found: DatesAndTruths[] = [];
  for (let from = 0; from < suspects.length; from += columnsAtOnce)
    found.push(await lookAt(reader, csvPath, head, suspects.slice(from, from + columnsAtOnce)));
  return {
    dates: new Map(found.flatMap(({ dates }) => [...dates])),
    booleans: new Set(found.flatMap(({ booleans }) => [...booleans])),
    filled: new Map(found.flatMap(({ filled }) => [...filled])),
    strays: found.flatMap(({ strays }) => strays),
  };
}

/** The first values of each column; the file is asked for those of columns of text whose first rows have none. */
async function firstValuesOf(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  counted: readonly (CountedColumn | undefined)[],
): Promise<string[][]> {
  const values = head.names.map((_, index) =>
    head.firstRows.map((row) => row[index] ?? "").filter((cell) => !isMissing(cell, head.dialect, "number")),
  );
  const late = [...counted.keys()]
    .filter((index) => counted[index]?.type === "text" && values[index]!.length === 0)
    .slice(0, mostColumns);
  for (let from = 0; from < late.length; from += columnsAtOnce) {
    const columns = late.slice(from, from + columnsAtOnce);
    const cells = columns.map((index) => `${withoutMissing(`c${index}`, head.dialect)} AS c${index}`);
    const lists = columns.map((index) => `arg_min(c${index}, n, ${firstValues})`);
    const [row = []] = await reader.query(
      `SELECT to_json([${lists}])::VARCHAR FROM (SELECT row_number() OVER () AS n, ${cells} FROM ${csvTable(csvPath, head)})`,
    );
    for (const [at, list] of (JSON.parse(String(row[0])) as (string[] | null)[]).entries())
      values[columns[at]!] = list ?? [];
  }
  return values;
}

function suspectOf(
  index: number,
  values: readonly string[],
  { saidTypes, dayFirst, names }: CsvHead,
  column: CountedColumn | undefined,
): Suspect[] {
  const said = saidTypes.get(index);
  if (column === undefined || said === "text" || said === "number" || values.length === 0) return [];
  if (said !== "date" && values.every((cell) => truthOf(cell) !== undefined))
    return [{ index, forms: [], isOfNumbers: false }];
  if (said === "boolean") return [];
  const isOfNumbers = column.type === "number";
  if (!isOfNumbers) {
    const forms = dateFormsOf(values, dayFirst);
    if (forms.length > 0) return [{ index, forms, isOfNumbers }];
  }
  const forms = said === "date" || (isOfNumbers && isNameOfTime(names[index]!)) ? numberFormsOf(values) : [];
  return forms.length > 0 ? [{ index, forms, isOfNumbers: true }] : [];
}

/** What the file says of a suspect. */
interface Answer {
  readonly values: number;
  /** Of a boolean. */
  readonly truths?: number;
  readonly trues?: number;
  /** Values that are dates in both of two forms. */
  readonly both?: number;
  /** By each form: how many values are dates, and the first that is none. */
  readonly forms?: readonly { readonly dates: number; readonly stray: string | null; readonly row: number | null }[];
}

/** SQL for a suspect's cells, and for the answer made of them. */
function questionOf({ index, forms, isOfNumbers }: Suspect, head: CsvHead): { cells: string[]; answer: string } {
  const value = `v${index}`;
  const cell = `left(${withoutMissing(`c${index}`, head.dialect)}, 100) AS ${value}`;
  if (forms.length === 0)
    return {
      cells: [cell, `${truthInSql(`c${index}`)} AS t${index}`],
      answer: `{'values': count(${value}), 'truths': count(t${index}), 'trues': count(CASE WHEN t${index} THEN 1 END)}`,
    };
  const times = forms.map((form, at) => {
    const time = timestampInSql(`c${index}`, form);
    const likely = isOfNumbers ? `CASE WHEN ${isLikelyInSql(time)} THEN ${time} END` : time;
    return { name: `t${index}_${at}`, cell: `${likely} AS t${index}_${at}` };
  });
  const byForm = times.map(({ name }) => {
    const isStray = `${value} IS NOT NULL AND ${name} IS NULL`;
    return `{'dates': count(${name}), 'stray': arg_min(CASE WHEN ${isStray} THEN ${value} END, n), 'row': min(CASE WHEN ${isStray} THEN n END)}`;
  });
  const isBoth = times.map(({ name }) => `${name} IS NOT NULL`).join(" AND ");
  return {
    cells: [cell, ...times.map((time) => time.cell)],
    answer: `{'values': count(${value}), 'both': count(CASE WHEN ${isBoth} THEN 1 END), 'forms': [${byForm}]}`,
  };
}

async function lookAt(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  suspects: readonly Suspect[],
): Promise<DatesAndTruths> {
  const questions = suspects.map((suspect) => questionOf(suspect, head));
  const cells = questions.flatMap((question) => question.cells);
  const answers = questions.map(({ answer }) => `to_json(${answer})`);
  const [row = []] = await reader
    .query(
      `SELECT to_json([${answers}])::VARCHAR FROM (SELECT row_number() OVER () AS n, ${cells} FROM ${csvTable(csvPath, head)})`,
    )
    .catch(async (error: unknown) => {
      throw await faultOfFile(error, csvPath, head);
    });
  const found = (JSON.parse(String(row[0])) as Answer[]).map((answer, at) => {
    const suspect = suspects[at]!;
    return {
      index: suspect.index,
      ...(suspect.forms.length === 0 ? asBoolean(answer) : asDates(answer, suspect, head)),
    };
  });
  const strays = found.flatMap(({ index, stray }) => (stray === undefined ? [] : [{ ...stray, index }]));
  return {
    dates: new Map(found.flatMap(({ index, form }) => (form === undefined ? [] : [[index, form]]))),
    booleans: new Set(found.flatMap(({ index, isBoolean }) => (isBoolean ? [index] : []))),
    filled: new Map(found.flatMap(({ index, filled }) => (filled === undefined ? [] : [[index, filled]]))),
    strays: await withLines(csvPath, head, strays),
  };
}

/** What was found of a suspect; nothing where it is text, or numbers. */
interface Found {
  readonly form?: DateForm;
  readonly isBoolean?: boolean;
  readonly filled?: number;
  readonly stray?: Omit<StrayCells, "index" | "firstLine"> & { readonly firstRow: number };
}

function asBoolean({ values, truths = 0, trues = 0 }: Answer): Found {
  // All the same is a word of a language as likely: NO is Norway.
  return truths < values || trues === 0 || trues === truths ? {} : { isBoolean: true, filled: values };
}

/** @throws DomainError DATE_ORDER_UNKNOWN */
function asDates(answer: Answer, suspect: Suspect, head: CsvHead): Found {
  const { form, dates, stray, row } = bestOf(answer, suspect, head);
  const count = answer.values - dates;
  if (suspect.isOfNumbers && count > 0) return {};
  const isDate = head.saidTypes.has(suspect.index) ? dates > 0 : areNearly(dates, count);
  const firstStray = {
    of: "dates",
    count,
    numbers: dates,
    areNearly: isDate,
    firstCell: stray ?? "",
    firstRow: row ?? 0,
  } as const;
  return {
    ...(isDate && { form, filled: dates }),
    ...(count > 0 && (isDate || areMany(dates, count)) && { stray: firstStray }),
  };
}

/** The form in which most values are dates. @throws DomainError DATE_ORDER_UNKNOWN */
function bestOf({ both = 0, forms = [] }: Answer, { index, forms: asked }: Suspect, head: CsvHead) {
  const [one, other] = forms.map((form, at) => ({ ...form, form: asked[at]! }));
  if (other === undefined) return one!;
  if (one!.dates === other.dates && one!.dates === both && head.dayFirst === undefined) {
    const example = head.firstRows.map((row) => row[index] ?? "").find((cell) => /\d/.test(cell)) ?? "";
    const name = head.names[index]!;
    throw new DomainError(
      "DATE_ORDER_UNKNOWN",
      `Column «${name.slice(0, 80)}» has dates, as «${example.slice(0, 40)}», and none of them tells the day from the month. Send \`dayFirst\` true where the day comes first, false where the month does, or \`types\` {${JSON.stringify(name.slice(0, 80))}: "text"}.`,
    );
  }
  return other.dates > one!.dates ? other : one!;
}
