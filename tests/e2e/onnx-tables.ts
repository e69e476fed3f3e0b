/** Tables with what an encoding could have wrong: dates of all years, and words that mean something else. */
import { withTypedCells } from "../../src/artifacts/typed-cells.ts";
import type { ModelDocument } from "../../src/models/model.ts";
import { predictRows, recordsToRows } from "../../src/models/predict-rows.ts";
import { seededRandom } from "../../src/models/split-rows.ts";
import { codeTexts } from "../../src/models/text-codes.ts";
import type { TableColumn, TrainingTable } from "../../src/models/training-table.ts";

const random = seededRandom(7);
const [firstSecond, lastSecond] = [-62_135_596_800, 253_402_300_799];
const written = { order: "year first", separator: "-" } as const;
const dateColumn = (name: string, numbers: Float64Array): TableColumn => ({
  name,
  kind: "date",
  numbers,
  written,
  hasStrays: false,
});

/** Of all years that a date may have, to the millisecond: of which each part has to be right to the last bit. */
function momentOf(row: number): number {
  if (row % 50 === 0) return Number.NaN;
  const seconds = firstSecond + random() * (lastSecond - firstSecond);
  const day = Math.floor(seconds / 86_400) * 86_400;
  // Days themselves, and the last millisecond before them.
  return [day, day - 0.001, Math.round(seconds * 1_000) / 1_000][row % 3]!;
}

const moments = [0, 1].map(() => Float64Array.from({ length: 3_000 }, (_, row) => momentOf(row)));
export const datedTable: TrainingTable = {
  rowCount: 3_000,
  columns: [
    ...moments.map((numbers, at) => dateColumn(`date ${at}`, numbers)),
    { name: "target", kind: "number", numbers: moments[0]!.map((seconds) => seconds % 1_000) },
  ],
};
export const datedRows = Array.from(moments[0]!, (_, row) =>
  Object.fromEntries(moments.map((numbers, at) => [`date ${at}`, Number.isNaN(numbers[row]) ? null : numbers[row]])),
);

/** As they are sent: dates as text. The last ones are spelled as no row was that was learnt from. */
const sent = [
  ...Array.from({ length: 300 }, (_, row) => ({
    day: new Date(Date.UTC(2020, 0, 1 + row)).toISOString().slice(0, 10),
    size: (row % 50) / 3,
    isOpen: row % 4 === 0 ? 1 : 0,
    flag: ["true", "false", "maybe"][row % 3],
    label: ["True", "true", "1.0"][row % 3],
    name: row % 2 === 0 ? `name ${row % 4}` : row % 5 === 1 ? "FALSE" : `name ${row}`,
  })),
  ...["TRUE", "fAlSe", "none", "None", "", "maybe", "1"].map((word, at) => ({
    day: at % 2 === 0 ? "1900-01-01" : "2020-06-01",
    size: at % 3 === 0 ? -99 : 7,
    // No truth.
    isOpen: 2,
    flag: word,
    label: word,
    name: word,
  })),
];
const learnt = sent.slice(0, 300);
const secondsOf = (day: string): number => Date.parse(day) / 1_000;
const texts = (name: "flag" | "label" | "name"): TableColumn => ({
  name,
  kind: "text",
  ...codeTexts(learnt.map((row) => row[name]!)),
});

/** A table whose sender said words for a missing value. */
export const wordTable: TrainingTable = {
  rowCount: learnt.length,
  columns: [
    dateColumn(
      "day",
      Float64Array.from(learnt, ({ day }) => secondsOf(day)),
    ),
    { name: "size", kind: "number", numbers: Float64Array.from(learnt, ({ size }) => size) },
    { name: "isOpen", kind: "boolean", numbers: Float64Array.from(learnt, ({ isOpen }) => isOpen) },
    texts("flag"),
    texts("label"),
    texts("name"),
    {
      name: "target",
      kind: "number",
      numbers: Float64Array.from(learnt, ({ size }, row) => size + (row % 3) * 5 + (row % 4) * 3 + row / 50),
    },
  ],
  missing: ["-99", "none", "1900-01-01"],
};
export const wordRows = sent.map((row) => ({ ...row, day: secondsOf(row.day) }));

/** What the service says of them. */
export const saidWithWords = (document: ModelDocument) =>
  predictRows(document, withTypedCells(recordsToRows(sent), document.missing)).predictions;
