import { DomainError } from "../../errors.ts";
import { isOfMoments } from "../../tables/column-type.ts";
import type { CsvReader } from "../../tables/csv-engine.ts";
import type { CsvHead } from "../../tables/csv-head.ts";
import { csvTable, withoutMissing } from "../../tables/csv-table.ts";
import { type DateForm, isoFormOf, timeForms, timestampInSql, typeOfForm } from "../../tables/date-form.ts";
import { isMissing } from "../../tables/dialect.ts";
import {
  dateFormsOf,
  isLikelyInSql,
  isNameOfTime,
  numberFormsOf,
  saidNumberFormsOf,
} from "../../tables/find-date-forms.ts";
import { truthInSql, truthOf } from "../../tables/truth.ts";
import { faultOfFile } from "./fault-of-file.ts";
import {
  areMany,
  areNearly,
  askOf,
  type CountedColumn,
  columnsAtOnce,
  type FoundStray,
  mostColumns,
} from "./suspects.ts";

/** Columns that are dates, times or booleans, and cells between those of the first two that are none, whatever became of their column. */
export interface DatesAndTruths {
  /** And of times. */
  readonly dates: ReadonlyMap<number, DateForm>;
  readonly booleans: ReadonlySet<number>;
  /** Values of all of them. */
  readonly filled: ReadonlyMap<number, number>;
  readonly strays: readonly FoundStray[];
  /** Columns that may be some too and were not looked at: they are too many. */
  readonly passedOver: readonly number[];
}

/** A column that may be one of them: by its first values dates or times in one of these forms, or a boolean where there is none. */
interface Suspect {
  readonly index: number;
  readonly forms: readonly DateForm[];
  /** Whether it is one of numbers, which are times only where all of them are likely ones. */
  readonly isOfNumbers: boolean;
  readonly example: string;
}

const firstValues = 50;

/**
 * The columns whose values are dates or times in one form, unix times, or truths. The file is read once more where first values
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
  const suspects = [...counted.keys()].flatMap((index) => suspectOf(index, values[index]!, head, counted[index]));
  const { found, passedOver } = await askOf(suspects, head, (some) => lookAt(reader, csvPath, head, some));
  return {
    dates: new Map(found.flatMap(({ index, form }) => (form === undefined ? [] : [[index, form]]))),
    booleans: new Set(found.flatMap(({ index, isBoolean }) => (isBoolean ? [index] : []))),
    filled: new Map(found.flatMap(({ index, filled }) => (filled === undefined ? [] : [[index, filled]]))),
    strays: found.flatMap(({ index, stray }) => (stray === undefined ? [] : [{ ...stray, index }])),
    passedOver,
  };
}

/** The first values of each column; the file is asked for those of columns that may have dates and whose first rows have none. */
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
    .filter((index) => counted[index] !== undefined && values[index]!.length === 0)
    .filter((index) => counted[index]!.type === "text" || isNameOfTime(head.names[index]!))
    .slice(0, mostColumns);
  for (let from = 0; from < late.length; from += columnsAtOnce) {
    const columns = late.slice(from, from + columnsAtOnce);
    // No date is as long as that, and whole ones may have a mebibyte each.
    const cells = columns.map((index) => `left(${withoutMissing(`c${index}`, head.dialect)}, 100) AS c${index}`);
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
  { saidTypes, names }: CsvHead,
  column: CountedColumn | undefined,
): Suspect[] {
  const said = saidTypes.get(index);
  if (column === undefined || said === "text" || said === "number") return [];
  // An empty one is what it is said to be, as one of numbers is.
  const isMoment = said !== undefined && isOfMoments(said);
  if (values.length === 0 && isMoment) return [{ index, forms: [isoFormOf(said)], isOfNumbers: false, example: "" }];
  if (values.length === 0 && said === undefined) return [];
  if (!isMoment && values.every((cell) => truthOf(cell) !== undefined))
    return [{ index, forms: [], isOfNumbers: false, example: "" }];
  if (said === "boolean") return [];
  const isOfNumbers = column.type === "number";
  const example = values.find((cell) => /\d/.test(cell)) ?? "";
  if (!isOfNumbers) {
    const isSaid = (form: DateForm): boolean => said === undefined || typeOfForm(form) === said;
    // What is said decides, however many of the first values are other text.
    const likely = isMoment ? values.filter((cell) => dateFormsOf([cell]).some(isSaid)) : values;
    const forms = dateFormsOf(likely).filter(isSaid);
    if (forms.length > 0) return [{ index, forms, isOfNumbers, example }];
  }
  if (said === "time") return [{ index, forms: timeForms, isOfNumbers: false, example }];
  if (said === "date")
    return saidNumberFormsOf(values).map((form) => ({ index, forms: [form], isOfNumbers: false, example }));
  const forms = isOfNumbers && isNameOfTime(names[index]!) ? numberFormsOf(values) : [];
  return forms.length > 0 ? [{ index, forms, isOfNumbers: true, example }] : [];
}

/** What the file says of a suspect. */
interface Answer {
  readonly values: number;
  /** Of a boolean. */
  readonly truths?: number;
  readonly trues?: number;
  /** Which of `letterBits` are there. */
  readonly letters?: number | null;
  /** Values that are dates in both of two forms, and those of them that are not the same day by both. */
  readonly both?: number;
  readonly unlike?: number;
  /** By each form: how many values are dates, and the first that is none. */
  readonly forms?: readonly { readonly dates: number; readonly stray: string | null; readonly row: number | null }[];
}

const letterBits = { t: 1, y: 2, f: 4, n: 8 } as const;
const lettersInSql = (cell: string): string =>
  `bit_or(CASE lower(trim(${cell})) ${Object.entries(letterBits)
    .map(([letter, bit]) => `WHEN '${letter}' THEN ${bit}`)
    .join(" ")} ELSE 0 END)`;

/** Two letters for the same truth are codes of something else, which must not become one: T, N and F of three kinds. */
function areCodes(letters: number | null = 0): boolean {
  const { t, y, f, n } = letterBits;
  return [t | y, f | n].some((pair) => ((letters ?? 0) & pair) === pair);
}

/** SQL for a suspect's cells, and for the answer made of them. */
function questionOf({ index, forms, isOfNumbers }: Suspect, head: CsvHead): { cells: string[]; answer: string } {
  const value = `v${index}`;
  const cell = `left(${withoutMissing(`c${index}`, head.dialect)}, 100) AS ${value}`;
  if (forms.length === 0)
    return {
      cells: [cell, `${truthInSql(`c${index}`)} AS t${index}`],
      answer: `{'values': count(${value}), 'truths': count(t${index}), 'trues': count(CASE WHEN t${index} THEN 1 END), 'letters': ${lettersInSql(value)}}`,
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
  const [one, other = one] = times;
  return {
    cells: [cell, ...times.map((time) => time.cell)],
    answer: `{'values': count(${value}), 'both': count(CASE WHEN ${isBoth} THEN 1 END), 'unlike': count(CASE WHEN ${one!.name} <> ${other!.name} THEN 1 END), 'forms': [${byForm}]}`,
  };
}

async function lookAt(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  suspects: readonly Suspect[],
): Promise<(Found & { readonly index: number })[]> {
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
  return (JSON.parse(String(row[0])) as Answer[]).map((answer, at) => {
    const suspect = suspects[at]!;
    const isSaid = head.saidTypes.has(suspect.index);
    const found = suspect.forms.length === 0 ? asBoolean(answer, isSaid) : asDates(answer, suspect, head);
    return { index: suspect.index, ...found };
  });
}

/** What was found of a suspect; nothing where it is text, or numbers. */
interface Found {
  readonly form?: DateForm;
  readonly isBoolean?: boolean;
  readonly filled?: number;
  readonly stray?: Omit<FoundStray, "index">;
}

function asBoolean({ values, truths = 0, trues = 0, letters }: Answer, isSaid: boolean): Found {
  // All the same is a word of a language as likely: NO is Norway.
  const areLike = trues === 0 || trues === truths;
  return truths < values || ((areLike || areCodes(letters)) && !isSaid) ? {} : { isBoolean: true, filled: values };
}

/** @throws DomainError DATE_ORDER_UNKNOWN */
function asDates(answer: Answer, suspect: Suspect, head: CsvHead): Found {
  const { form, dates, stray, row } = bestOf(answer, suspect, head);
  const count = answer.values - dates;
  if (suspect.isOfNumbers && count > 0) return {};
  const isDate = head.saidTypes.has(suspect.index) ? dates > 0 || answer.values === 0 : areNearly(dates, count);
  const firstStray = {
    of: `${typeOfForm(form)}s`,
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

/** The form in which most values are dates. @throws DomainError DATE_ORDER_UNKNOWN where they are dates of two, and not the same */
function bestOf({ values, both = 0, unlike = 0, forms = [] }: Answer, suspect: Suspect, head: CsvHead) {
  const [one, other] = forms.map((form, at) => ({ ...form, form: suspect.forms[at]! }));
  if (other === undefined) return one!;
  const isDate = head.saidTypes.has(suspect.index) || areNearly(both, values - both);
  const isEither = one!.dates === other.dates && one!.dates === both && unlike > 0 && isDate;
  if (isEither && head.dayFirst === undefined) {
    const name = head.names[suspect.index]!;
    throw new DomainError(
      "DATE_ORDER_UNKNOWN",
      `Column «${name.slice(0, 80)}» has dates, as «${suspect.example.slice(0, 40)}», and none of them tells the day from the month. Send \`dayFirst\` true where the day comes first, false where the month does, or \`types\` {${JSON.stringify(name.slice(0, 80))}: "text"}.`,
    );
  }
  const isSaid = ({ form }: { form: DateForm }): boolean => (form.order === "day first") === head.dayFirst;
  const said = head.dayFirst === undefined ? undefined : [one!, other].find(isSaid);
  // What is said decides what the values don't: a few that are none may be mistakes, most can't be.
  if (said !== undefined && areNearly(said.dates, values - said.dates)) return said;
  return other.dates > one!.dates ? other : one!;
}
