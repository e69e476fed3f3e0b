/** The models that Python's libraries are asked to say the same with. */
import type { TrainingTask } from "../../src/models/model.ts";
import type { TrainParameters } from "../../src/models/train-request.ts";
import { type Row, readRows } from "../support/real-tables.ts";

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

/** A model of a table of rows. */
interface ExportedModel {
  readonly name: string;
  readonly rows: Row[];
  readonly target: string;
  readonly task: TrainingTask;
  /** Of heavy models alone, where there are any. */
  readonly parameters?: TrainParameters;
}
const horsepower = { rows: cars, target: "Horsepower", task: "regression" } as const;

/** What is asked of a library of Python, and of the service. */
export const exportedModels: readonly ExportedModel[] = [
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
