/** Writes models, their features and their predictions for `xgboost_predicts_the_same.py` to check. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { readBareModel } from "../../src/artifacts/bare-model.ts";
import { contributionsOf } from "../../src/models/contributions.ts";
import { expandColumns, expandedSources } from "../../src/models/feature-schema.ts";
import { serializeModelDocument, type TrainingMode } from "../../src/models/model.ts";
import { trainModel } from "../../src/models/train-model.ts";
import { predictRecords } from "../support/predict-records.ts";
import { toTable } from "../support/real-tables.ts";
import { exportedModels } from "./exported-models.ts";
import { mixedCsv, mixedFeatures, mixedRows, mixedTable } from "./xgboost-tables.ts";

const folder = process.argv[2];
if (folder === undefined) throw new Error("Usage: node tests/e2e/xgboost-export.ts <outdir>");

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
for (const { name, rows, target, task, parameters } of exportedModels) {
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
