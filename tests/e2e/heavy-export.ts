/** Fits trees with parameters of XGBoost on small tables, for `heavy_beside_xgboost.py` to fit the same. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { HeavyParameters } from "../../src/models/heavy-parameters.ts";
import { type HeavyFit as AnyFit, trainHeavy } from "../../src/models/heavy-trainer.ts";
import { seededRandom } from "../../src/models/split-rows.ts";
import { predictXgboost } from "../../src/models/xgboost-json.ts";
import type { Dense } from "../support/dense.ts";

type HeavyFit = Dense<AnyFit>;

const folder = process.argv[2];
if (folder === undefined) throw new Error("Usage: node tests/e2e/heavy-export.ts <outdir>");

const random = seededRandom(11);
// Splits that gain the same are a toss-up, and so are those that gain but what rounding leaves: classes and counts, whose first
// derivatives are few different numbers, have weights here or small trees, as quantiles have.
/** Few enough that nothing is kept aside, and so few values that each has its bin in both. */
const small = tableOf(56);
const large = tableOf(2000);

function tableOf(rows: number) {
  const columns = Array.from({ length: 4 }, (_, feature) =>
    Float32Array.from({ length: rows }, (_, row) =>
      feature === 2 && row % 7 === 0 ? Number.NaN : Math.floor(random() * (rows < 100 ? 12 : 1000)),
    ),
  );
  const most = rows < 100 ? 12 : 1000;
  const value = (row: number): number =>
    (8 * columns[0]![row]!) / most +
    4 * Math.sin((columns[1]![row]! / most) * 6) +
    (columns[2]![row]! > most / 2 ? 3 : 0);
  const target = Float64Array.from({ length: rows }, (_, row) => value(row) + 3 * random() + 5);
  const weights = Float64Array.from({ length: rows }, () => 0.5 + 4 * random());
  return { columns, target, weights };
}

type Table = typeof small;
const loss = (table: Table, wanted: HeavyFit["loss"]): HeavyFit => {
  const { columns } = table;
  if (wanted === "squared") return { columns, target: table.target, loss: wanted, outputs: 1 };
  const count = wanted === "logistic" ? 2 : 3;
  const sorted = table.target.toSorted();
  const target = table.target.map((value) => Math.floor((sorted.indexOf(value) * count) / sorted.length));
  return { columns, target, loss: wanted, outputs: wanted === "logistic" ? 1 : count };
};
const counts: HeavyFit = { ...loss(small, "squared"), target: small.target.map((value) => Math.floor(value / 3)) };

interface Case {
  readonly name: string;
  readonly fit: HeavyFit;
  readonly parameters: HeavyParameters;
  /** Whether what is drawn differs, and only the quality can be the same. */
  readonly isDrawn?: true;
}

const numbers = loss(small, "squared");
const two = loss(small, "logistic");
const one = { rounds: 1, learningRate: 1 };
const { weights } = small;
const cases: Case[] = [
  { name: "numbers", fit: numbers, parameters: one },
  { name: "numbers, ten rounds", fit: numbers, parameters: { rounds: 10 } },
  { name: "alpha 4", fit: numbers, parameters: { ...one, alpha: 4 } },
  { name: "alpha 20, lambda 0", fit: numbers, parameters: { ...one, alpha: 20, lambda: 0 } },
  { name: "gamma 5", fit: numbers, parameters: { ...one, gamma: 5 } },
  { name: "gamma 40, ten rounds", fit: numbers, parameters: { rounds: 10, gamma: 40 } },
  { name: "alpha, two classes", fit: two, parameters: { ...one, alpha: 0.5 } },
  { name: "gamma, two classes", fit: two, parameters: { rounds: 10, gamma: 0.5 } },
  { name: "scalePosWeight", fit: { ...two, weights }, parameters: { rounds: 10, scalePosWeight: 3.5 } },
  { name: "weights", fit: { ...numbers, weights }, parameters: { rounds: 10 } },
  { name: "weights, two classes", fit: { ...two, weights }, parameters: { rounds: 10 } },
  { name: "monotone, up", fit: { ...numbers, monotone: Int8Array.of(0, 1, 0, 0) }, parameters: { rounds: 10 } },
  { name: "monotone, down", fit: { ...numbers, monotone: Int8Array.of(-1, 0, 0, 0) }, parameters: { rounds: 10 } },
  {
    name: "monotone, both, alpha",
    fit: { ...numbers, monotone: Int8Array.of(1, -1, 0, 0) },
    parameters: { rounds: 10, alpha: 2 },
  },
  { name: "monotone, two classes", fit: { ...two, monotone: Int8Array.of(1, -1, 0, 0) }, parameters: { rounds: 10 } },
  { name: "counts", fit: counts, parameters: { rounds: 10, maxDepth: 3, objective: "count:poisson" } },
  { name: "counts, weights", fit: { ...counts, weights }, parameters: { rounds: 10, objective: "count:poisson" } },
  {
    name: "counts, monotone",
    fit: { ...counts, weights, monotone: Int8Array.of(0, 1, 0, 0) },
    parameters: { rounds: 10, gamma: 0.01, objective: "count:poisson" },
  },
  { name: "medians", fit: numbers, parameters: { rounds: 10, objective: "reg:absoluteerror" } },
  {
    name: "medians, weights",
    fit: { ...numbers, weights },
    parameters: { rounds: 10, objective: "reg:absoluteerror" },
  },
  {
    name: "quantile 0.8",
    fit: numbers,
    parameters: { rounds: 10, maxDepth: 2, objective: "reg:quantileerror", quantileAlpha: 0.8 },
  },
  {
    name: "quantile 0.3, weights",
    fit: { ...numbers, weights },
    parameters: { rounds: 10, objective: "reg:quantileerror", quantileAlpha: 0.3 },
  },
  { name: "subsample, numbers", fit: loss(large, "squared"), parameters: { subsample: 0.5 }, isDrawn: true },
  {
    name: "colsampleByTree, numbers",
    fit: loss(large, "squared"),
    parameters: { colsampleByTree: 0.5 },
    isDrawn: true,
  },
  {
    name: "both, three classes",
    fit: loss(large, "softmax"),
    parameters: { subsample: 0.7, colsampleByTree: 0.8 },
    isDrawn: true,
  },
  { name: "maxBins 8", fit: loss(large, "squared"), parameters: { maxBins: 8 }, isDrawn: true },
];

/** The second half of a table says how good a model of the first is. */
const half = (fit: HeavyFit, from: number, to: number): HeavyFit => ({
  ...fit,
  columns: fit.columns.map((column) => column.slice(from, to)),
  target: fit.target.slice(from, to),
});

await mkdir(folder, { recursive: true });
for (const [at, { name, fit, parameters, isDrawn = false }] of cases.entries()) {
  const rows = fit.target.length;
  const learnt = isDrawn ? half(fit, 0, rows / 2) : fit;
  const { model } = trainHeavy(learnt, { ...parameters, earlyStoppingRounds: 5000 }, 42, () => {});
  const asked = isDrawn ? half(fit, rows / 2, rows) : fit;
  const tableOfJson = ({ columns, target }: HeavyFit) => ({
    columns: columns.map((column) => Array.from(column, (value) => (Number.isNaN(value) ? null : value))),
    target: [...target],
  });
  const content = {
    name,
    isDrawn,
    loss: fit.loss,
    outputs: fit.outputs,
    parameters,
    weights: fit.weights && [...fit.weights],
    monotone: fit.monotone && [...fit.monotone],
    learnt: tableOfJson(learnt),
    asked: tableOfJson(asked),
    predictions: [...predictXgboost(model, asked.columns, asked.target.length)],
    model,
  };
  await writeFile(path.join(folder, `${String(at).padStart(2, "0")}.json`), JSON.stringify(content));
}
