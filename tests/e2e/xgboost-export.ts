/** Writes models, their features and their predictions for `xgboost_predicts_the_same.py` to check. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { readBareModel } from "../../src/artifacts/bare-model.ts";
import { contributionsOf } from "../../src/models/contributions.ts";
import { expandColumns, expandedSources } from "../../src/models/feature-schema.ts";
import { serializeModelDocument, type TrainingMode, type TrainingTask } from "../../src/models/model.ts";
import { trainModel } from "../../src/models/train-model.ts";
import type { TrainParameters } from "../../src/models/train-request.ts";
import { predictRecords } from "../support/predict-records.ts";
import { type Row, readRows, toTable } from "../support/real-tables.ts";
import { mixedCsv, mixedFeatures, mixedRows, mixedTable } from "./xgboost-tables.ts";

const folder = process.argv[2];
if (folder === undefined) throw new Error("Usage: node tests/e2e/xgboost-export.ts <outdir>");

/** Ids beyond 2^53, whole numbers, zeros, tiny values and a text of many values: what a float's way through JSON could break. */
function awkwardRows(): Row[] {
  return Array.from({ length: 400 }, (_, i) => ({
    snowflake: 1.2e18 + i * 1e16,
    whole: i % 7,
    tiny: (i % 11) * 1e-20,
    gap: i % 5 === 0 ? null : i % 3,
    word: i % 13 === 0 ? null : `word ${i % 90 < 40 ? i % 4 : i % 170}`,
    colour: i % 9 === 0 ? null : ["red", "green", "blue"][i % 3]!,
    huge: 1e17 * (i % 7) + i * 1e15,
    yes: (i % 7) + (i % 3) > 4 ? "yes" : "no",
  }));
}

const awkward = awkwardRows();
const cars = readRows("cars.json");
const penguins = readRows("penguins.json");
interface Case {
  readonly name: string;
  readonly rows: Row[];
  readonly target: string;
  readonly task: TrainingTask;
  /** Of heavy models alone, where there are any. */
  readonly parameters?: TrainParameters;
}
const horsepower = { rows: cars, target: "Horsepower", task: "regression" } as const;
const cases: Case[] = [
  { name: "penguins-sex", rows: penguins.filter((row) => row.Sex !== "."), target: "Sex", task: "classification" },
  { name: "penguins-species", rows: penguins, target: "Species", task: "classification" },
  { name: "cars-miles", rows: cars, target: "Miles_per_Gallon", task: "regression" },
  { name: "cars-cylinders", rows: cars, target: "Cylinders", task: "classification" },
  { name: "awkward-number", rows: awkward, target: "huge", task: "regression" },
  { name: "awkward-class", rows: awkward, target: "yes", task: "classification" },
  { name: "cars-counts", ...horsepower, parameters: { objective: "count:poisson" } },
  { name: "cars-medians", ...horsepower, parameters: { objective: "reg:absoluteerror", subsample: 0.7 } },
  { name: "cars-quantiles", ...horsepower, parameters: { objective: "reg:quantileerror", quantileAlpha: 0.9 } },
  { name: "cars-monotone", ...horsepower, parameters: { monotoneConstraints: { Displacement: 1 }, maxBins: 32 } },
  {
    name: "penguins-weighted",
    rows: penguins.filter((row) => row.Sex !== "." && row["Body Mass (g)"] !== null),
    target: "Sex",
    task: "classification",
    parameters: { scalePosWeight: 3, weight: "Body Mass (g)", alpha: 1, gamma: 0.5 },
  },
];

/** Models of a table that is read by pandas, each in a folder of its own with the table and what we say of its rows. */
const targets = [
  { target: "amount", task: "regression" },
  { target: "kind", task: "classification" },
  { target: "isLarge", task: "classification" },
] as const;
async function exportNamed(outside: string): Promise<void> {
  for (const { target, task } of targets)
    for (const mode of ["light", "heavy"] as const) {
      const request = { table: mixedTable, features: mixedFeatures, target, task, mode, parameters: {} };
      const { document } = trainModel(request, () => {});
      const content = Buffer.from(serializeModelDocument(document));
      const file = async function* () {
        // In pieces, as a file comes, so that what is looked for is cut through.
        for (let at = 0; at < content.length - 1; at += 1_000)
          yield content.subarray(at, Math.min(at + 1_000, content.length - 1));
      };
      const { head, rest } = await readBareModel(file());
      const here = path.join(outside, `${target}-${mode}.named`);
      await mkdir(here, { recursive: true });
      const parts = [head];
      for await (const part of rest) parts.push(part);
      await writeFile(path.join(here, "model.json"), Buffer.concat(parts));
      await writeFile(path.join(here, "table.csv"), mixedCsv);
      const said = predictRecords(document, mixedRows).map(({ prediction, probabilities }) =>
        document.classes === undefined ? [prediction] : document.classes.map((label) => probabilities?.[label]),
      );
      await writeFile(path.join(here, "expected.json"), JSON.stringify(said));
    }
}

await mkdir(folder, { recursive: true });
await exportNamed(folder);
for (const { name, rows, target, task, parameters } of cases) {
  const modes: TrainingMode[] = parameters === undefined ? ["light", "heavy"] : ["heavy"];
  for (const mode of modes) {
    const table = toTable(rows);
    const { document } = trainModel({ table, target, task, mode, parameters: parameters ?? {} }, () => {});
    const predictions = predictRecords(document, rows);
    const columns = new Map(table.columns.map((column) => [column.name, column]));
    const all = Int32Array.from(rows.keys());
    const expanded = expandColumns(document.features, columns, all, mode === "light");
    const { values, biases } = contributionsOf(document, expanded, rows.length);
    const content = {
      task,
      mode,
      contributions: { values: [...values], biases: [...biases] },
      sources: expandedSources(document.features),
      means: document.coefficients?.features.map(({ mean }) => mean),
      classes: document.classes,
      features: rows.map((_, row) => expanded.map((column) => (Number.isNaN(column[row]) ? null : column[row]))),
      predictions: predictions.map(({ prediction, probabilities }) =>
        document.classes === undefined ? [prediction] : document.classes.map((label) => probabilities?.[label]),
      ),
    };
    await writeFile(path.join(folder, `${name}-${mode}.document.json`), serializeModelDocument(document));
    await writeFile(path.join(folder, `${name}-${mode}.expected.json`), JSON.stringify(content));
  }
}
