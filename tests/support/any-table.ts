import fc from "fast-check";
import type { ColumnType } from "../../src/tables/column-type.ts";
import type { DateForm } from "../../src/tables/date-form.ts";
import { missingWords } from "../../src/tables/missing.ts";

/** null where it is missing; a date or a time is one by ISO 8601. */
export type AnyCell = number | string | boolean | null;

/** A column as its owner knows it. */
export interface AnyColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly cells: readonly AnyCell[];
  /** How a CSV writes its dates; one that begins with the day or the month begins with what the sender says. */
  readonly form?: Pick<DateForm, "separator" | "hasHalfDays"> & { readonly isYearFirst: boolean };
  /** How a CSV spells its truths. */
  readonly spelled?: readonly [yes: string, no: string];
}

/** A table as its owner knows it; its last column or another one is `target`, of two classes. */
export type AnyTable = readonly AnyColumn[];

/** Letters of a language, and the code pages that hold them. */
export const alphabets = {
  latin: { letters: "abcxyzAZäöüßéèñçøÅ€", encodings: ["windows-1252"] },
  cyrillic: { letters: "abcабвгдежийыъэюяАЯё", encodings: ["windows-1251", "koi8-r"] },
  greek: { letters: "abcαβγδλωΩήϊ", encodings: ["windows-1253"] },
  any: { letters: "aéő漢字عربي😀\u2028\u00A0", encodings: [] },
} satisfies Record<string, { letters: string; encodings: string[] }>;

export type Alphabet = keyof typeof alphabets;

// What a careless reader trips over. Of other control characters NUL is refused, and Ctrl-Z may end a file.
const awkward = fc.constantFrom(
  ...[
    '"',
    '""',
    ",",
    ";",
    "\t",
    "|",
    "\n",
    "\r\n",
    "\r",
    " ",
    "  ",
    "'",
    "\\",
    "#",
    "//",
    "%",
    "$",
    "=",
    "_",
    "-",
    "?",
  ],
  ...["None", "1", "2.5", "1,5", "sep=", "NA", "<b>", "{", "[1]", "_x000D_", "&amp;", "null", "true", "007"],
);

const textOf = (alphabet: Alphabet): fc.Arbitrary<string> => {
  const letter = fc.constantFrom(...alphabets[alphabet].letters);
  return fc
    .array(fc.oneof(awkward, letter, fc.string({ unit: letter, minLength: 1, maxLength: 8 })), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.join(""));
};

/** No number, no word for one, nothing that is missing: with one of these a column is text. */
const wordOf = (alphabet: Alphabet): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabets[alphabet].letters.slice(0, 3)), minLength: 3, maxLength: 8 });

const anyValue = (alphabet: Alphabet): fc.Arbitrary<string> =>
  // Words for missing values are such in columns of text, too.
  textOf(alphabet).filter((text) => !missingWords.includes(text));

const whole = fc.oneof(fc.integer({ min: -999, max: 9_999 }), fc.integer(), fc.integer({ min: 0, max: 1 }));
const fraction = fc.oneof(
  fc.integer({ min: -99_999, max: 99_999 }).map((cents) => cents / 100),
  // A whole number of more than 15 digits is a name; -0 is 0.
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((value) => Math.abs(value) < 1e15 && !Object.is(value, -0)),
);
/** Names of digits: the first loses its zero as a number, the second its last digits. */
const digits = fc.oneof(
  fc.integer({ min: 0, max: 9_999 }).map((code) => `0${code}`),
  fc.bigInt({ min: 10n ** 15n, max: 10n ** 19n }).map(String),
);

/** Cells of a column: some of a pool, where a model is to know them all. */
function cellsOf<Value>(value: fc.Arbitrary<Value>, { rows, pool }: Size): fc.Arbitrary<(Value | null)[]> {
  const gaps = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: rows, maxLength: rows });
  const values = fc.array(value, { minLength: pool, maxLength: pool });
  // The first is never missing: of a column without any value nothing could tell the type.
  return fc
    .tuple(values, gaps, fc.integer({ min: 1, max: 7 }))
    .map(([all, gap, step]) => gap.map((each, row) => (each === 0 && row > 0 ? null : all[(row * step) % pool]!)));
}

/** How large a table is. */
export interface Size {
  readonly rows: number;
  /** How many values a column has at most. */
  readonly pool: number;
  /** Columns that it has in any case. */
  readonly more?: AnyTable;
}

const date = fc
  .record({
    day: fc.integer({ min: 0, max: 99_999 }),
    minute: fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 1_439 }) },
    ),
  })
  .map(({ day, minute }) =>
    new Date(day * 86_400_000 + minute * 60_000).toISOString().replace(/(T00:00:00)?\.000Z$/, ""),
  );

const timeOfDay = fc
  .integer({ min: 0, max: 86_399 })
  .map((seconds) => new Date(seconds * 1_000).toISOString().slice(11, 19));

const dateForm: fc.Arbitrary<NonNullable<AnyColumn["form"]>> = fc.constantFrom(
  { separator: "-", isYearFirst: true },
  { separator: "/", isYearFirst: true },
  { separator: "/", isYearFirst: false },
  { separator: "/", isYearFirst: false, hasHalfDays: true },
  { separator: "-", isYearFirst: false },
);

/** Both truths are there: of one alone nothing tells that it is no word. */
const truthsOf = ({ rows }: Size): fc.Arbitrary<(boolean | null)[]> =>
  fc
    .array(fc.constantFrom(true, false, null), { minLength: rows - 2, maxLength: rows - 2 })
    .map((cells) => [true, false, ...cells]);

function columnOf(alphabet: Alphabet, size: Size): fc.Arbitrary<Omit<AnyColumn, "name">> {
  const numbers = fc.oneof(cellsOf(whole, size), cellsOf(fraction, size), cellsOf(fc.oneof(whole, fraction), size));
  const numberLike = fc.oneof(whole.map(String), fraction.map(String), anyValue(alphabet));
  const texts = fc
    .tuple(cellsOf(fc.oneof(anyValue(alphabet), numberLike), size), wordOf(alphabet))
    // Its first rows show that it is text.
    .map(([cells, word]) => cells.map((cell) => (cell === cells[0] ? word : cell)));
  return fc.oneof(
    numbers.map((cells) => ({ type: "number" as const, cells })),
    texts.map((cells) => ({ type: "text" as const, cells })),
    cellsOf(digits, size).map((cells) => ({ type: "text" as const, cells })),
    cellsOf(timeOfDay, size).map((cells) => ({ type: "time" as const, cells })),
    fc.tuple(cellsOf(date, size), dateForm).map(([cells, form]) => ({ type: "date" as const, cells, form })),
    fc
      .tuple(truthsOf(size), fc.constantFrom(["true", "false"], ["TRUE", "FALSE"], ["Yes", "No"], ["t", "f"]))
      .map(([cells, [yes, no]]) => ({ type: "boolean" as const, cells, spelled: [yes!, no!] as const })),
  );
}

/** Names are trimmed, and each stands once; the first bytes of a file tell what it is, so none begins as JSON or a hint does. */
function namesOf(alphabet: Alphabet, count: number): fc.Arbitrary<string[]> {
  const name = textOf(alphabet)
    .map((text) => text.trim())
    .filter((text) => text !== "" && !/^(target$|sep=|[{[<])/i.test(text));
  // Parquet's may not differ by case alone.
  return fc.uniqueArray(name, { minLength: count, maxLength: count, selector: (each) => each.toLowerCase() });
}

/** Any table of letters of the alphabet. */
export function anyTable(alphabet: Alphabet, size: Size): fc.Arbitrary<AnyTable> {
  const { rows, more = [] } = size;
  return fc
    .record({ columns: fc.integer({ min: 1, max: 5 }), place: fc.nat(), stripe: fc.integer({ min: 1, max: 3 }) })
    .chain(({ columns, place, stripe }) =>
      fc
        .tuple(
          namesOf(alphabet, columns),
          fc.array(columnOf(alphabet, size), { minLength: columns, maxLength: columns }),
        )
        .map(([names, contents]) => {
          const table: AnyColumn[] = names.map((name, index) => ({ name, ...contents[index]! }));
          const classes = Array.from({ length: rows }, (_, row) => (Math.floor(row / stripe) % 2 === 0 ? "no" : "so"));
          table.splice(place % (columns + 1), 0, { name: "target", type: "text", cells: classes });
          return [...table, ...more];
        }),
    );
}
