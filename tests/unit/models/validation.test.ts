import { describe, expect, test } from "vitest";
import { dealOut, splitsOf } from "../../../src/models/folds.ts";
import { dealOutGroups, groupsOf, holdOutGroups } from "../../../src/models/groups.ts";
import type { TrainingMode } from "../../../src/models/model.ts";
import type { RunMetrics } from "../../../src/models/model-metrics.ts";
import { seededRandom } from "../../../src/models/split-rows.ts";
import { studentQuantile } from "../../../src/models/student-quantile.ts";
import { codeTexts } from "../../../src/models/text-codes.ts";
import { trainModel } from "../../../src/models/train-model.ts";
import type { TrainParameters, TrainRequest } from "../../../src/models/train-request.ts";
import { TrainingDataError } from "../../../src/models/training-data-error.ts";
import { type FitSize, usualRepeats } from "../../../src/models/usual-repeats.ts";
import type { Validation } from "../../../src/models/validation.ts";
import { type Row, toTable } from "../../support/real-tables.ts";

const modes: TrainingMode[] = ["light", "heavy"];

const train = (
  rows: readonly Row[],
  request: Omit<TrainRequest, "table" | "parameters">,
  parameters: TrainParameters,
) => trainModel({ table: toTable(rows), ...request, parameters }, () => {});

/** What training says is wrong. */
function faultOf(action: () => unknown): { code: string; message: string } | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof TrainingDataError) return { code: error.code, message: error.message };
    throw error;
  }
  return undefined;
}

const random = seededRandom(3);
/** Of three classes, with missing cells; `at` and `who` are what it can be parted by. */
const table: Row[] = Array.from({ length: 240 }, (_, row) => {
  const [a, b] = [random() * 10, random() * 10];
  const said = a + b > 12 ? "high" : a > 5 ? "middle" : "low";
  return {
    a: row % 9 === 4 ? null : a,
    b,
    colour: ["red", "green", "blue"][row % 3]!,
    label: random() < 0.1 ? "low" : said,
    two: a + 4 * random() > 7 ? "yes" : "no",
    price: 3 * a - b + random(),
    at: Math.floor(row / 3),
    who: `customer ${row % 40}`,
  };
});
const features = ["a", "b", "colour"];
const tasks = [
  { target: "label", task: "classification" },
  { target: "two", task: "classification" },
  { target: "price", task: "regression" },
] as const;
const each = modes.flatMap((mode) => tasks.map((task) => ({ mode, ...task })));

describe.each(each)("$mode models of $target", (of) => {
  const request = { ...of, features };

  test.each<Validation>([
    { kind: "holdout", share: 0.4 },
    { kind: "time", column: "at", share: 0.3 },
    { kind: "group", column: "who", share: 0.3 },
  ])("learn nothing from rows that are held out by $kind", (validation) => {
    const before = train(table, request, { validation, refit: false });
    const places = before.metrics.rows;
    expect(places.train + places.test).toBe(240);
    // Each row is another one in turn: only those that are held out leave the model as it was.
    const strange = (row: Row): Row => ({ ...row, a: 1e6, b: null, colour: "never seen" });
    const kept = (row: number) => {
      const { document } = train(table.with(row, strange(table[row]!)), request, { validation, refit: false });
      return JSON.stringify({ ...document, metrics: null }) === JSON.stringify({ ...before.document, metrics: null });
    };
    const some = Array.from({ length: 12 }, (_, at) => at * 21);
    if (validation.kind === "time") {
      const from = Number(before.metrics.validation.from);
      expect(some.map(kept)).toEqual(some.map((row) => Number(table[row]!.at) >= from));
    } else if (validation.kind === "group") {
      const all = Map.groupBy(some, (row) => table[row]!.who);
      for (const rows of all.values()) expect(new Set(rows.map(kept)).size).toBe(1);
    }
    expect(some.some(kept)).toBe(true);
    expect(some.every(kept)).toBe(false);
  });

  test.each<Validation>([{ kind: "holdout" }, { kind: "time", column: "at" }, { kind: "group", column: "who" }])(
    "learn from all rows once they are measured by $kind",
    (validation) => {
      const how = of.mode === "heavy" ? ({ rounds: 20, earlyStopping: "none" } as const) : {};
      const plain = train(table, request, { validation, refit: false, ...how });
      const { metrics, document } = train(table, request, { validation, ...how });
      const ofModel = { rows: null, featureImportances: null, importances: null, solver: null };
      expect({ ...metrics, ...ofModel }).toEqual({ ...plain.metrics, ...ofModel });
      expect(metrics.rows).toEqual({ ...plain.metrics.rows, train: 240 });
      const shuffled = ({ importances: { columns } }: RunMetrics) =>
        Object.fromEntries(columns.map(({ column, permutation }) => [column, permutation]));
      expect(shuffled(metrics)).toEqual(shuffled(plain.metrics));
      // As by folds, where a model of all rows is the only one.
      const folds = { kind: "folds", folds: 2, repeats: 1 } as const;
      const all = train(table, request, { validation: folds, ...how });
      expect(document.model).toEqual(all.document.model);
    },
  );

  test("by folds are measured as models that learn from the other folds alone, and learn from all rows themselves", () => {
    const numberOf = new Map([...new Set(table.map((row) => row[of.target]))].map((value, k) => [value, k]));
    const values = of.task === "regression" ? undefined : table.map((row) => numberOf.get(row[of.target])!);
    const foldOf = dealOut(240, 3, seededRandom(42), values);
    const validation = { kind: "folds", folds: 3, repeats: 1 } as const;
    const { metrics, document } = train(table, request, { validation });
    // One fold after the other is the latest moment of a table, of which the model of a run by time learns nothing.
    const alone = [0, 1, 2].map((fold) => {
      const rows = table.map((row, place) => ({ ...row, late: foldOf[place] === fold ? 1 : 0 }));
      return train(rows, request, { validation: { kind: "time", column: "late", share: 1 / 3 } }).metrics;
    });
    const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    for (const name of ["accuracy", "logLoss", "f1", "auc", "rmse", "mape"] as const) {
      const singles = alone.map((single) => single[name]);
      if (singles.some((value) => value === undefined)) continue;
      expect([name, metrics[name]]).toEqual([name, expect.closeTo(meanOf(singles as number[]), 9)]);
      const mean = metrics[name]!;
      const variance = singles.reduce<number>((sum, single) => sum + (single! - mean) ** 2, 0) / 2;
      const half = 4.30265 * Math.sqrt((1 / 3 + 1 / 2) * variance);
      const most = ["accuracy", "f1", "auc"].includes(name) ? 1 : Number.POSITIVE_INFINITY;
      const [low, high] = metrics.intervals[name] as [number, number];
      expect([name, low]).toEqual([name, expect.closeTo(Math.max(0, mean - half), 3)]);
      expect([name, high]).toEqual([name, expect.closeTo(Math.min(most, mean + half), 3)]);
    }
    const lossOf = ({ mse, logLoss }: { mse?: number; logLoss?: number }) => (mse ?? logLoss)!;
    const ofNaive = meanOf(alone.map(lossOf)) / meanOf(alone.map(({ baseline }) => lossOf(baseline)));
    expect(metrics.relativeError).toBeCloseTo(of.task === "regression" ? Math.sqrt(ofNaive) : ofNaive, 9);
    if (of.task === "regression") {
      const spread = meanOf(alone.map((single) => single.baseline.mse!));
      const left = meanOf(alone.map((single) => single.mse!)) / spread;
      expect(metrics.r2).toBeCloseTo(1 - left, 9);
      const off = alone.map((single) => (single.mse! - left * single.baseline.mse!) / spread);
      const half = 4.30265 * Math.sqrt((1 / 3 + 1 / 2) * (off.reduce((sum, each) => sum + each ** 2, 0) / 2));
      expect(metrics.intervals.r2).toEqual([
        expect.closeTo(1 - left - half, 3),
        expect.closeTo(Math.min(1, 1 - left + half), 3),
      ]);
      expect(metrics.baseline.r2).toBe(0);
    }
    expect(metrics.rows).toEqual({ train: 240, test: 240 });
    expect(metrics.validation).toEqual({ kind: "folds", folds: 3, repeats: 1, seed: 42 });
    const mean = meanOf(table.flatMap((row) => (row.a === null ? [] : [Number(row.a)])));
    expect(document.features[0]).toMatchObject({ column: "a", mean: expect.closeTo(mean, 4) });
    if (of.task === "regression") return expect(metrics.residuals?.p95).toBeGreaterThan(metrics.residuals!.p5);
    const counts = alone.map((single) => single.confusionMatrix!.counts);
    const sums = counts[0]!.map((line, k) => line.map((_, at) => counts.reduce((sum, each) => sum + each[k]![at]!, 0)));
    expect(metrics.confusionMatrix!.counts).toEqual(sums);
  });

  test("by folds are the same for the same seed, and progress goes up to 1", () => {
    const run = (repeats: number) => {
      const seen: number[] = [];
      const validation = { kind: "folds", folds: 4, repeats } as const;
      const threshold = of.target === "two" ? "f1" : undefined;
      const { document } = trainModel(
        { table: toTable(table), ...request, parameters: { validation, threshold, rounds: 20 } },
        (fraction) => seen.push(fraction),
      );
      return { seen, document: JSON.stringify(document), rmse: document.metrics.relativeError };
    };
    const once = run(2);
    expect(run(2).document).toBe(once.document);
    expect(run(1).rmse).not.toBe(once.rmse);
    expect(once.seen).toEqual([...once.seen].sort((a, b) => a - b));
    expect(once.seen.at(-1)).toBe(1);
  });
});

describe.each(modes)("%s models", (mode) => {
  const classes = { target: "two", task: "classification", mode, features } as const;

  test("of two classes: each fold has its own threshold, and each row is counted once", () => {
    const validation = { kind: "folds", folds: 5, repeats: 3 } as const;
    const { metrics, document } = train(table, classes, { validation, threshold: "f1" });
    const { positive } = metrics;
    const yes = table.filter(({ two }) => two === positive!.class).length;
    expect(positive).toMatchObject({ support: yes, threshold: document.decision!.threshold });
    const counts = metrics.confusionMatrix!.counts.flat();
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(240);
    expect(metrics.curves!.calibration.counts.reduce((sum, count) => sum + count, 0)).toBe(240);
    expect(metrics.curves!.roc!.tpr.at(-1)).toBe(1);
    expect(metrics.baseline.positive).toMatchObject({ support: yes });
  });

  test("are measured by folds where a column varies only beside a fold, and where a class has a single row", () => {
    const rows = Array.from({ length: 12 }, (_, row) => ({
      flag: row === 3 ? 1 : 0,
      y: row === 7 ? "single" : row % 2 ? "a" : "b",
    }));
    const validation = { kind: "folds", folds: 4, repeats: 2 } as const;
    const { metrics, hints } = train(rows, { target: "y", task: "classification", mode }, { validation });
    expect(metrics.rows).toEqual({ train: 12, test: 11 });
    expect(hints).toEqual([{ code: "TARGET_CLASS_NOT_MEASURED", classes: ["single"] }]);
    expect(metrics.logLoss).toBeLessThan(3);
  });

  test("have an answer to classes that came after what was learnt from", () => {
    const rows = Array.from({ length: 60 }, (_, row) => ({ a: row % 7, at: row, y: row < 50 ? `${row % 2}` : "new" }));
    const request = { target: "y", task: "classification", mode, features: ["a"] } as const;
    const { metrics } = train(rows, request, { validation: { kind: "time", column: "at", share: 0.2 } });
    expect(metrics.confusionMatrix?.counts.at(-1)).toEqual([expect.any(Number), expect.any(Number), 0]);
    expect(Number.isFinite(metrics.logLoss)).toBe(true);
    const two = rows.map((row) => ({ ...row, y: row.at < 50 ? "old" : "new" }));
    const validation = { kind: "time", column: "at", share: 0.2 } as const;
    expect(faultOf(() => train(two, request, { validation }))).toEqual({
      code: "PARAMETER_UNUSABLE",
      message:
        "`validation` by «at» leaves rows of one class alone to learn from. Choose another `share` or other `folds`, or another kind.",
    });
  });

  test.each([
    // Values of their own in 19 rows are none, in 25 an identifier.
    ["an identifier", Array.from({ length: 25 }, (_, row) => `k${row}`)],
    // 40 values are categories, and of 70 none is in 5 rows.
    ["too many values", Array.from({ length: 120 }, (_, row) => (row < 90 ? `early ${row % 40}` : `late ${row}`))],
  ])("use a column that was measured in all rows too, where it is %s there", (_, texts) => {
    const rows = texts.map((text, row) => ({ text, at: row, y: (row % 7) + random() }));
    const request = { target: "y", task: "regression", mode, features: ["text"] } as const;
    const validation = { kind: "time", column: "at", share: 0.25 } as const;
    const { metrics, document, columns } = train(rows, request, { validation });
    expect(metrics.rows.train).toBe(rows.length);
    expect(columns.find(({ name }) => name === "text")?.as).toBe("categories");
    expect(document.features[0]).toMatchObject({ kind: "text" });
    expect(metrics.importances.columns[0]).toMatchObject({ column: "text", permutation: expect.any(Number) });
  });

  test("have the columns that were measured, and no other one", () => {
    const rows = Array.from({ length: 60 }, (_, row) => ({
      a: row % 7,
      flag: row < 50 ? 0 : row % 2,
      at: row,
      y: row % 7,
    }));
    const request = { target: "y", task: "regression", mode, features: ["a", "flag"] } as const;
    const { document, columns } = train(rows, request, { validation: { kind: "time", column: "at", share: 0.15 } });
    expect(document.features.map(({ column }) => column)).toEqual(["a"]);
    expect(columns.find(({ name }) => name === "flag")).toEqual({ name: "flag", as: "left_out", reason: "constant" });
  });

  test("that are to be those that were measured hold rows out, where nothing else is said", () => {
    const rows = Array.from({ length: 60 }, (_, row) => ({ a: row % 7, y: row % 7 }));
    const { metrics } = train(rows, { target: "y", task: "regression", mode }, { refit: false });
    expect(metrics.validation).toMatchObject({ kind: "holdout", share: 0.25 });
    expect(metrics.rows).toEqual({ train: 45, test: 15 });
  });

  test("that know customers by heart are no better than guessing of other customers", () => {
    const draw = seededRandom(9);
    const customers = Array.from({ length: 60 }, () => ({ print: draw(), y: draw() * 100 }));
    const rows = Array.from({ length: 900 }, (_, row) => ({ ...customers[row % 60]!, who: `${row % 60}` }));
    const request = { target: "y", task: "regression", mode: "heavy", features: ["print"] } as const;
    const r2Of = (validation: Validation) => train(rows, request, { validation }).metrics.r2!;
    expect(r2Of({ kind: "holdout" })).toBeGreaterThan(0.9);
    expect(r2Of({ kind: "group", column: "who" })).toBeLessThan(0.3);
    expect(r2Of({ kind: "group", column: "who", folds: 5 })).toBeLessThan(0.3);
  });
});

describe("by time", () => {
  const rows = (moments: readonly (number | null)[]): Row[] =>
    moments.map((at, row) => ({ at, a: (row * 7) % 11, y: row }));
  const of = (moments: readonly (number | null)[], share: number) =>
    train(
      rows(moments),
      { target: "y", task: "regression", mode: "light", features: ["a"] },
      {
        validation: { kind: "time", column: "at", share },
        refit: false,
      },
    ).metrics;

  test("rows of one moment stay together, on the side that is nearer to the share", () => {
    const moments = [9, 1, 1, 1, 1, 1, 5, 5, 5, 5, 5, 8];
    expect(of(moments, 0.25)).toMatchObject({
      rows: { train: 10, test: 2 },
      validation: { from: 8, withoutMoment: 0 },
    });
    expect(of(moments, 0.45)).toMatchObject({ rows: { train: 5, test: 7 }, validation: { from: 5, share: 0.45 } });
    expect(of([1, 1, 1, 1, 1, 1, 1, 1, 1, 2], 0.5).rows).toEqual({ train: 9, test: 1 });
  });

  test("rows without a moment are left out, and counted", () => {
    const moments = Array.from({ length: 40 }, (_, row) => (row % 4 === 0 ? null : 40 - row));
    expect(of(moments, 0.2)).toMatchObject({ rows: { train: 24, test: 6 }, validation: { withoutMoment: 10 } });
  });

  test("a column of dates says the first of them in ISO 8601, and other columns are refused", () => {
    const numbers = Float64Array.from({ length: 20 }, (_, row) => 1_700_000_000 + 86_400 * row);
    const dates = { name: "day", kind: "date", numbers, hasStrays: false } as const;
    const written = { order: "year first", separator: "-" } as const;
    const a = { name: "a", kind: "number", numbers: numbers.map((_, row) => row % 5) } as const;
    const y = { name: "y", kind: "number", numbers: numbers.map((_, row) => row) } as const;
    const text = { name: "text", kind: "text", ...codeTexts(Array.from(numbers, (_, row) => `2024-${row}`)) } as const;
    const request = {
      table: { rowCount: 20, columns: [{ ...dates, written }, a, y, text] },
      target: "y",
      task: "regression",
      mode: "light",
    } as const;
    const by = (column: string) =>
      trainModel({ ...request, parameters: { validation: { kind: "time", column } } }, () => {});
    expect(by("day").metrics.validation).toEqual({
      kind: "time",
      column: "day",
      share: 0.25,
      from: "2023-11-29T22:13:20",
      withoutMoment: 0,
    });
    expect(by("day").document.features.map(({ column }) => column)).toContain("day");
    expect(faultOf(() => by("text"))).toMatchObject({
      code: "PARAMETER_UNUSABLE",
      message: expect.stringMatching(/dates, times or numbers/),
    });
    expect(faultOf(() => by("y"))).toMatchObject({
      code: "PARAMETER_UNUSABLE",
      message: expect.stringMatching(/which is the target/),
    });
    expect(faultOf(() => of(new Array(20).fill(3), 0.2))).toMatchObject({
      message: expect.stringMatching(/the same in all rows/),
    });
    expect(faultOf(() => of(new Array(20).fill(null), 0.2))).toMatchObject({
      message: expect.stringMatching(/has none in the rows/),
    });
  });
});

describe("by group", () => {
  const texts = Array.from({ length: 200 }, (_, row) => (row % 10 === 0 ? "" : `${Math.floor(row ** 1.3) % 23}`));
  const groups = groupsOf({ name: "who", kind: "text", ...codeTexts(texts) }, Int32Array.from(texts.keys()));

  test.each([1, 2, 3, 4, 5])("no value is on both sides, whatever the seed (%i)", (seed) => {
    const splits = [
      holdOutGroups(groups, 0.25, seededRandom(seed)),
      ...splitsOf(dealOutGroups(groups, 5, seededRandom(seed)), 5),
    ];
    for (const { kept, heldOut } of splits) {
      expect([...kept, ...heldOut].sort((a, b) => a - b)).toEqual([...texts.keys()]);
      const learnt = new Set(Array.from(kept, (place) => texts[place]!).filter((text) => text !== ""));
      expect(Array.from(heldOut, (place) => texts[place]!).filter((text) => learnt.has(text))).toEqual([]);
      expect(heldOut.length).toBeGreaterThan(25);
      expect(heldOut.length).toBeLessThan(65);
    }
    const [share] = splits;
    const alone = Array.from(share!.heldOut, (place) => texts[place]).filter((text) => text === "").length;
    expect(alone).toBeGreaterThan(0);
    expect(alone).toBeLessThan(20);
  });

  test("the column is no feature unless it is asked for, and the run says so", () => {
    const rows = table.map((row) => ({ ...row, who: Number(`${row.who}`.slice(9)) }));
    const request = { target: "price", task: "regression", mode: "light" } as const;
    const validation = { kind: "group", column: "who", folds: 4 } as const;
    const plain = train(rows, request, { validation });
    expect(plain.columns.at(-1)).toEqual({ name: "who", as: "left_out", reason: "group" });
    expect(plain.metrics.validation).toEqual({ ...validation, repeats: 1, groups: 40, seed: 42 });
    const asked = train(rows, { ...request, features: ["a", "who"] }, { validation });
    expect(asked.columns.at(-1)).toMatchObject({ name: "who", as: "number" });
  });

  test("too few groups are refused", () => {
    const rows = table.map((row, at) => ({ ...row, who: at % 3 }));
    const request = { target: "price", task: "regression", mode: "light" } as const;
    expect(faultOf(() => train(rows, request, { validation: { kind: "group", column: "who", folds: 4 } }))).toEqual({
      code: "PARAMETER_UNUSABLE",
      message:
        '`validation` by groups needs 4 of them, and "who" has 3 in the rows with a target. Choose another column, or fewer folds.',
    });
  });
});

describe("without a word of repeats rows are dealt", () => {
  const heavy = { mode: "heavy", parameters: {}, rows: 900, outputs: 1 } as const;
  test.each<[string, number, Omit<FitSize, "features">, number]>([
    ["four times in a small table", 5, heavy, 4],
    ["less where there are many columns", 50, heavy, 2],
    ["less where a threshold is chosen in each fold", 20, { ...heavy, parameters: { threshold: "f1" } }, 2],
    ["once where twice is dear", 100, heavy, 1],
    ["not at all where even that is dear", 100, { ...heavy, outputs: 10 }, 0],
    ["not for a search that is dear", 5, { ...heavy, mode: "auto" }, 0],
    ["once for a search in a small table", 5, { ...heavy, mode: "auto", rows: 200 }, 1],
    ["more often where trees are few", 100, { ...heavy, parameters: { rounds: 10 } }, 4],
    ["more often of linear models", 100, { ...heavy, mode: "light", outputs: 10 }, 4],
    ["once in a large table", 5, { ...heavy, rows: 1000 }, 1],
  ])("%s", (_, columns, size, repeats) => {
    expect(usualRepeats({ ...size, features: () => columns }, 5)).toBe(repeats);
  });

  test("and the run says how often", () => {
    const run = (mode: TrainingMode, rows: readonly Row[]) =>
      train(rows, { target: "price", task: "regression", mode, features }, { validation: { kind: "folds" } }).metrics;
    for (const mode of modes) expect(run(mode, table).validation).toMatchObject({ folds: 5, repeats: 4, seed: 42 });
    expect(run("light", [...table, ...table, ...table, ...table, ...table]).validation).toMatchObject({ repeats: 1 });
  });
});

test("too few rows for a share or for folds are told", () => {
  const rows = table.slice(0, 8);
  const request = { target: "price", task: "regression", mode: "light" } as const;
  expect(faultOf(() => train(rows, request, { validation: { kind: "holdout", share: 0.05 } }))).toMatchObject({
    code: "TOO_FEW_ROWS",
    message: expect.stringMatching(/a share of 0.05 is not one row/),
  });
  expect(faultOf(() => train(rows, request, { validation: { kind: "folds", folds: 9 } }))).toMatchObject({
    code: "TOO_FEW_ROWS",
    message: "9 folds are asked for, and 8 rows are there. Ask for fewer `folds`, or add rows.",
  });
});

// R: qt(0.975, df)
test.each([
  [1, 12.706205],
  [4, 2.776445],
  [5, 2.570582],
  [9, 2.262157],
  [19, 2.093024],
  [99, 1.984217],
  [399, 1.965927],
])("Student's quantile of %i degrees of freedom", (freedom, quantile) => {
  expect(Math.abs(studentQuantile(freedom) - quantile)).toBeLessThan(4e-4);
});

describe("where nothing is said", () => {
  const of = { target: "price", task: "regression", mode: "light", features } as const;
  const dealt = (count: number) => Array.from({ length: count }, (_, row) => table[row % table.length]!);

  test("tables of fewer than 1,000 rows with a target are measured by folds, and others by a share", () => {
    const small = train([...dealt(999), { ...table[0]!, price: null }], of, {}).metrics;
    expect(small).toMatchObject({
      validation: { kind: "folds", folds: 5, repeats: 4 },
      rows: { train: 999, test: 999 },
    });
    // Folds that nobody asked for do not refuse what a share can measure.
    const rare = [..."aaabcdefghij"].map((label, row) => ({ ...table[row]!, label }));
    const asked = { ...of, target: "label", task: "classification" } as const;
    expect(train(rare, asked, {}).metrics.validation).toMatchObject({ kind: "holdout" });
    const large = train(dealt(1000), of, {}).metrics;
    expect(large).toMatchObject({ validation: { kind: "holdout", share: 0.25 }, rows: { train: 1000, test: 250 } });
  });
});
