/** Trains light models on the tables of a folder, for `light_beside_sklearn.py` to compare with its own. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { TrainingTask } from "../../src/models/model.ts";
import { splitRows } from "../../src/models/split-rows.ts";
import { codeTexts } from "../../src/models/text-codes.ts";
import { trainModel } from "../../src/models/train-model.ts";
import type { TableColumn } from "../../src/models/training-table.ts";
import { readTarget } from "../../src/models/training-target.ts";

const folder = process.argv[2];
if (folder === undefined) throw new Error("Usage: node tests/e2e/light-export.ts <folder>");

/** One table as the script writes it. */
interface Sent {
  readonly task: TrainingTask;
  /** By column; the target is the last, and for classes text. */
  readonly columns: readonly (readonly (number | string)[])[];
}

/** Both sides learn from the same three quarters. */
const validation = { kind: "holdout" } as const;
const seeds = [1, 2, 3, 4, 5].slice(0, Number(process.env.SEEDS ?? 5));
for (const file of (await readdir(folder)).filter((name) => name.endsWith(".table.json"))) {
  const sent: Sent = JSON.parse(await readFile(path.join(folder, file), "utf8"));
  const columns = sent.columns.map((cells, at): TableColumn => {
    const name = at === sent.columns.length - 1 ? "target" : `x${at}`;
    return typeof cells[0] === "string"
      ? { name, kind: "text", ...codeTexts(cells.map(String)) }
      : { name, kind: "number", numbers: Float64Array.from(cells, Number) };
  });
  const table = { rowCount: sent.columns[0]!.length, columns };
  const { values, classes } = readTarget(columns.at(-1)!, sent.task);
  const runs = seeds.map((seed) => {
    const started = process.cpuUsage();
    const { document, metrics } = trainModel(
      { table, target: "target", task: sent.task, mode: "light", parameters: { seed, validation } },
      () => {},
    );
    const used = process.cpuUsage(started);
    const { heldOut } = splitRows(Int32Array.from(values.keys()), 0.25, seed, classes && Int32Array.from(values));
    const booster = document.model.learner.gradient_booster;
    if (booster.name !== "gblinear") throw new Error("A light model is linear.");
    return {
      heldOut: [...heldOut],
      used: document.features.map(({ column }) => Number(column.slice(1))),
      weights: booster.model.weights,
      cpuSeconds: (used.user + used.system) / 1e6,
      metrics,
    };
  });
  await writeFile(path.join(folder, file.replace(".table.", ".light.")), JSON.stringify({ classes, runs }));
}
