/** Writes models as ONNX, rows and what we say of them for `onnx_predicts_the_same.py` to check. */
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { toOnnx } from "../../src/artifacts/onnx/to-onnx.ts";
import { expandColumns } from "../../src/models/feature-schema.ts";
import type { ModelDocument } from "../../src/models/model.ts";
import { trainModel } from "../../src/models/train-model.ts";
import type { TrainRequest } from "../../src/models/train-request.ts";
import { predictRecords } from "../support/predict-records.ts";
import { toTable } from "../support/real-tables.ts";
import { exportedModels } from "./exported-models.ts";
import { datedRows, datedTable, saidWithWords, wordRows, wordTable } from "./onnx-tables.ts";
import { mixedCsv, mixedFeatures, mixedRows, mixedTable } from "./xgboost-tables.ts";

const folder = process.argv[2];
if (folder === undefined) throw new Error("Usage: node tests/e2e/onnx-export.ts <outdir>");

type Cells = Readonly<Record<string, unknown>>;
type Said = ReturnType<typeof predictRecords>;

/** A model, rows as its inputs want them, and what we say of them. */
async function write(name: string, document: ModelDocument, rows: readonly Cells[], said: Said, learnt: object = {}) {
  const here = path.join(folder!, `${name}-${document.mode}`);
  await mkdir(here, { recursive: true });
  await writeFile(path.join(here, "model.onnx"), toOnnx(document, "0b7f0f5e-5a3c-4a5e-8d39-c0ffee000001"));
  const { classes, features } = document;
  const expected = {
    ...learnt,
    classes,
    columns: features.map(({ column, kind }) => ({ column, kind, cells: rows.map((row) => row[column] ?? null) })),
    predictions: said.map(({ prediction }) => prediction),
    probabilities: classes && said.map(({ probabilities }) => classes.map((label) => probabilities![label])),
  };
  await writeFile(path.join(here, "expected.json"), JSON.stringify(expected));
  return here;
}

/** Beside the rows that were learnt from: nothing at all, and what no row had. */
function strangeRows(rows: readonly Cells[], { table }: Pick<TrainRequest, "table">): Cells[] {
  const strange = {
    number: [null, 0, -99, 1e39, -3.5e-7],
    text: [null, "never seen", "RED", "", "-99"],
    boolean: [null, true, false, true, false],
    // The first moment of the year 1, a leap day's last half second, before 1970, after a leap day that was none, and 9999.
    date: [-62_135_596_800, 951_868_799.5, -1, 4_107_542_400, 253_402_300_799],
  } as const;
  return [0, 1, 2, 3, 4].flatMap((at) =>
    table.columns.map(({ name, kind }) => ({ ...rows[at * 7 + table.columns.length], [name]: strange[kind][at] })),
  );
}

async function train(name: string, rows: readonly Cells[], request: TrainRequest) {
  const { document } = trainModel(request, () => {});
  const columns = new Map(request.table.columns.map((column) => [column.name, column]));
  const expanded = expandColumns(document.features, columns, Int32Array.from(rows.keys()), request.mode === "light");
  const learnt = {
    rows: rows.length,
    // As the trainers have them, not by what reads the rows of a prediction.
    features: rows.map((_, row) => expanded.map((column) => (Number.isNaN(column[row]) ? null : column[row]))),
  };
  const all = [...rows, ...strangeRows(rows, request)];
  return write(name, document, all, predictRecords(document, all), { learnt });
}

for (const { name, rows, target, task, parameters } of exportedModels)
  for (const mode of parameters === undefined ? (["light", "heavy"] as const) : (["heavy"] as const))
    await train(name, rows, { table: toTable(rows), target, task, mode, parameters: parameters ?? {} });

const ofMixed = [
  { name: "mixed-amount", target: "amount", task: "regression", parameters: {} },
  { name: "mixed-kind", target: "kind", task: "classification", parameters: {} },
  ...["yes", "no"].map((positiveClass) => ({
    name: `mixed-threshold-of-${positiveClass}`,
    target: "isLarge",
    task: "classification" as const,
    parameters: { threshold: { falsePositive: 1, falseNegative: 15 }, positiveClass },
  })),
] as const;
for (const mode of ["light", "heavy"] as const) {
  for (const { name, ...asked } of ofMixed) {
    const here = await train(name, mixedRows, { table: mixedTable, features: mixedFeatures, mode, ...asked });
    await writeFile(path.join(here, "table.csv"), mixedCsv);
  }
  const number = { target: "target", task: "regression", mode, parameters: {} } as const;
  await train("dates", datedRows, { table: datedTable, ...number });
  const { document } = trainModel({ table: wordTable, ...number }, () => {});
  await write("words", document, wordRows, saidWithWords(document));
}

for (const kept of ["light-1.1.0", "heavy-1.2.0"]) {
  const file = new URL(`../fixtures/${kept}.json`, import.meta.url);
  const { document, rows, predictions } = JSON.parse(readFileSync(file, "utf8"));
  await write(kept, document, rows, predictions);
}
