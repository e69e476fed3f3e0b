/** Writes models as ONNX, rows and what we say of them for `onnx_predicts_the_same.py` to check. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { toOnnx } from "../../src/artifacts/onnx/to-onnx.ts";
import { expandColumns } from "../../src/models/feature-schema.ts";
import { seededRandom } from "../../src/models/split-rows.ts";
import { trainModel } from "../../src/models/train-model.ts";
import type { TrainRequest } from "../../src/models/train-request.ts";
import { predictRecords } from "../support/predict-records.ts";
import { type Row, toTable } from "../support/real-tables.ts";
import { exportedModels } from "./exported-models.ts";
import { mixedCsv, mixedFeatures, mixedRows, mixedTable } from "./xgboost-tables.ts";

const folder = process.argv[2];
if (folder === undefined) throw new Error("Usage: node tests/e2e/onnx-export.ts <outdir>");

type Cells = Readonly<Record<string, unknown>>;

/** Beside the rows that were learnt from: nothing at all, and what no row had. */
function strangeRows(rows: readonly Cells[], request: Omit<TrainRequest, "mode">): Cells[] {
  const kinds = new Map(request.table.columns.map(({ name, kind }) => [name, kind]));
  const strange = {
    number: [null, 0, -99, 1e39, -3.5e-7],
    text: [null, "never seen", "RED", "", "-99"],
    boolean: [null, true, false, true, false],
    // Of 1 January of the year 1, a leap day's last half second, before 1970, the day after a leap day that was none, and 9999.
    date: [-62_135_596_800, 951_868_799.5, -1, 4_107_542_400, 253_402_300_799],
  } as const;
  return [0, 1, 2, 3, 4].flatMap((at) =>
    [...kinds].map(([changed, kind]) => ({ ...rows[at * 7 + kinds.size], [changed]: strange[kind][at] })),
  );
}

async function write(name: string, rows: readonly Cells[], request: TrainRequest, more: Record<string, string> = {}) {
  const { document } = trainModel(request, () => {});
  const here = path.join(folder!, `${name}-${request.mode}`);
  await mkdir(here, { recursive: true });
  await writeFile(path.join(here, "model.onnx"), toOnnx(document, "0b7f0f5e-5a3c-4a5e-8d39-c0ffee000001"));
  for (const [file, content] of Object.entries(more)) await writeFile(path.join(here, file), content);
  const all = [...rows, ...strangeRows(rows, request)];
  const said = predictRecords(document, all);
  const columns = new Map(request.table.columns.map((column) => [column.name, column]));
  const places = Int32Array.from(rows.keys());
  const expanded = expandColumns(document.features, columns, places, request.mode === "light");
  const content = {
    // As the trainers have them, not by what reads the rows of a prediction.
    features: rows.map((_, row) => expanded.map((column) => (Number.isNaN(column[row]) ? null : column[row]))),
    learnt: rows.length,
    classes: document.classes,
    columns: document.features.map(({ column, kind }) => ({
      column,
      kind,
      cells: all.map((row) => row[column] ?? null),
    })),
    predictions: said.map(({ prediction }) => prediction),
    probabilities:
      document.classes && said.map(({ probabilities }) => document.classes!.map((label) => probabilities![label])),
  };
  // JSON has no infinity, and no number of ours is one.
  await writeFile(path.join(here, "expected.json"), JSON.stringify(content));
}

for (const { name, rows, target, task, parameters } of exportedModels)
  for (const mode of parameters === undefined ? (["light", "heavy"] as const) : (["heavy"] as const))
    await write(name, rows satisfies Row[], { table: toTable(rows), target, task, mode, parameters: parameters ?? {} });

const mixed = { table: mixedTable, features: mixedFeatures };
for (const mode of ["light", "heavy"] as const) {
  const files = { "table.csv": mixedCsv };
  await write(
    "mixed-amount",
    mixedRows,
    { ...mixed, target: "amount", task: "regression", mode, parameters: {} },
    files,
  );
  await write(
    "mixed-kind",
    mixedRows,
    { ...mixed, target: "kind", task: "classification", mode, parameters: {} },
    files,
  );
  const threshold = { falsePositive: 1, falseNegative: 15 };
  const isLarge = { ...mixed, target: "isLarge", task: "classification", mode, parameters: { threshold } } as const;
  await write("mixed-threshold", mixedRows, isLarge, files);
}

/** Moments of all years that a date may have, to the millisecond, of which each part has to be right to the last bit. */
const random = seededRandom(7);
const [first, last] = [-62_135_596_800, 253_402_300_799];
const moments = Array.from({ length: 3 }, () =>
  Float64Array.from({ length: 4_000 }, (_, row) => {
    if (row % 50 === 0) return Number.NaN;
    const seconds = first + random() * (last - first);
    // Days themselves, and the last millisecond before them.
    const day = Math.floor(seconds / 86_400) * 86_400;
    return [day, day - 0.001, Math.round(seconds * 1_000) / 1_000][row % 3]!;
  }),
);
const written = { order: "year first", separator: "-" } as const;
const dates = moments.map(
  (numbers, at) => ({ name: `date ${at}`, kind: "date", numbers, written, hasStrays: false }) as const,
);
const target = { name: "target", kind: "number", numbers: moments[0]!.map((seconds) => seconds % 1_000) } as const;
const dated = { rowCount: target.numbers.length, columns: [...dates, target] };
for (const mode of ["light", "heavy"] as const) {
  const rows = Array.from(moments[0]!, (_, row) =>
    Object.fromEntries(dates.map(({ name, numbers }) => [name, Number.isNaN(numbers[row]) ? null : numbers[row]])),
  );
  await write("dates", rows, { table: dated, target: "target", task: "regression", mode, parameters: { rounds: 20 } });
}
