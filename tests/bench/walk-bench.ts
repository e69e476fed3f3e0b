import { trainHeavy } from "../../src/models/heavy-trainer.ts";
import type { XgboostModel, XgboostTree } from "../../src/models/model.ts";
import { seededRandom } from "../../src/models/split-rows.ts";
import { baseMarginOf, marginsOf } from "../../src/models/xgboost-json.ts";
import { figure, type Line } from "./figures.ts";

const trainedRows = 20_000;
const features = 20;
const rows = 1_000;
const turns = 40;

function makeColumns(): Float32Array[] {
  const random = seededRandom(3);
  const cell = (): number => (random() < 0.02 ? Number.NaN : random() * 10);
  return Array.from({ length: features }, () => Float32Array.from({ length: trainedRows }, cell));
}

/** A model of 100 trees of depth 6, as it is read from its file. */
function makeModel(columns: readonly Float32Array[]): XgboostModel {
  const random = seededRandom(4);
  const cellOf = (feature: number, row: number): number => columns[feature]![row]! || 0;
  const target = Float64Array.from(
    { length: trainedRows },
    (_, row) => cellOf(0, row) * 3 + Math.sin(cellOf(1, row)) * 8 + random() * 6,
  );
  const how = { rounds: 100, earlyStopping: "none" } as const;
  const { model } = trainHeavy({ columns, target, loss: "squared", outputs: 1 }, how, 42, () => {});
  return JSON.parse(JSON.stringify(model)) as XgboostModel;
}

/** The peer: the lists of the file, as they stand in it. */
function treeSays(tree: XgboostTree, columns: readonly Float32Array[], row: number): number {
  let node = 0;
  while (tree.left_children[node]! >= 0) {
    const value = columns[tree.split_indices[node]!]![row]!;
    const goesLeft = Number.isNaN(value)
      ? tree.default_left[node] === 1
      : value < Math.fround(tree.split_conditions[node]!);
    node = goesLeft ? tree.left_children[node]! : tree.right_children[node]!;
  }
  return Math.fround(tree.split_conditions[node]!);
}

function plainMargins(model: XgboostModel, columns: readonly Float32Array[]): Float32Array {
  const booster = model.learner.gradient_booster;
  if (booster.name !== "gbtree") throw new Error("No trees.");
  const margins = new Float32Array(rows).fill(baseMarginOf(model));
  for (const tree of booster.model.trees)
    for (let row = 0; row < rows; row++) margins[row]! += treeSays(tree, columns, row);
  return margins;
}

function milliseconds(action: () => unknown): number {
  const started = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000;
}

/** What 1,000 rows take of 100 trees, by the lists of the model's file and as predictions walk them, in turns. */
export async function benchWalk(rounds: number): Promise<Line[]> {
  const all = makeColumns();
  const model = makeModel(all);
  const columns = all.map((column) => column.subarray(0, rows));
  if (
    Buffer.compare(
      Buffer.from(plainMargins(model, columns).buffer),
      Buffer.from(marginsOf(model, columns, rows).buffer),
    ) !== 0
  )
    throw new Error("Both ways should say the same.");
  const [plain, ours, ratios]: [number[], number[], number[]] = [[], [], []];
  for (let turn = 0; turn < turns * rounds; turn++) {
    const [before, now] = [
      milliseconds(() => plainMargins(model, columns)),
      milliseconds(() => marginsOf(model, columns, rows)),
    ];
    // Both are compiled after a few.
    if (turn < turns / 4) continue;
    plain.push(before);
    ours.push(now);
    ratios.push(now / before);
  }
  return [
    { what: "1,000 rows × 100 trees of depth 6, by the file's lists", unit: "ms", figure: figure(plain) },
    { what: "the same, as predictions walk them", unit: "ms", figure: figure(ours) },
    { what: "ours ÷ the file's lists", unit: "", figure: figure(ratios) },
  ];
}
