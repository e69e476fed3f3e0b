import { describe, expect, test } from "vitest";
import type { Leaderboard } from "../../../src/models/leaderboard.ts";
import { planValidation } from "../../../src/models/plan-validation.ts";
import { drawCandidates } from "../../../src/models/search-space.ts";
import { seededRandom } from "../../../src/models/split-rows.ts";
import { type AutoHooks, trainAuto } from "../../../src/models/train-auto.ts";
import { trainModel } from "../../../src/models/train-model.ts";
import { type TrainParameters, type TrainRequest, usualSeed } from "../../../src/models/train-request.ts";
import { readTarget } from "../../../src/models/training-target.ts";
import type { Validation } from "../../../src/models/validation.ts";
import { type Row, toTable } from "../../support/real-tables.ts";

const random = seededRandom(5);
/** `at` and `who` are what it can be parted by. */
const table: Row[] = Array.from({ length: 160 }, (_, row) => {
  const [a, b] = [random() * 10, random() * 10];
  return {
    a: row % 9 === 4 ? null : a,
    b,
    colour: ["red", "green", "blue"][row % 3]!,
    two: a + 4 * random() > 7 ? "yes" : "no",
    price: a * b + 3 * random(),
    at: Math.floor(row / 2),
    who: `customer ${row % 20}`,
  };
});
const features = ["a", "b", "colour"];
const ofClasses = { target: "two", task: "classification", features } as const;
const ofNumbers = { target: "price", task: "regression", features } as const;
type Asked = Pick<TrainRequest, "target" | "task" | "features">;

function search(rows: readonly Row[], asked: Asked, parameters: TrainParameters, hooks: Partial<AutoHooks> = {}) {
  return trainAuto(
    { table: toTable(rows), ...asked, parameters },
    {
      nowMs: () => 0,
      usualSeconds: 300,
      isEndWanted: () => false,
      onProgress: () => {},
      onTrial: () => {},
      onFitted: () => {},
      ...hooks,
    },
  );
}

describe.each([ofClasses, ofNumbers])("a search of a model of $target", (asked) => {
  test("finds the same twice, and its model is that of a run with what it found", () => {
    const validation: Validation = { kind: "holdout" };
    const found = search(table, asked, { maxTrials: 8, validation });
    expect(search(table, asked, { maxTrials: 8, validation })).toEqual(found);
    const { mode, parameters, ...document } = found.document;
    const { isBest, ...best } = found.leaderboard.trials[0]!;
    expect({ isBest, mode, parameters }).toEqual({
      isBest: true,
      mode: best.mode,
      parameters: { seed: 42, validation: { ...validation, share: 0.25 }, ...best.parameters },
    });
    const alone = trainModel({ table: toTable(table), ...asked, mode, parameters: parameters! }, () => {});
    expect({ ...alone.document, mode: undefined }).toEqual({ ...document, mode: undefined });
    expect(found.leaderboard).toMatchObject({ trialsDone: 8, trialsOf: 8, stoppedBy: "trials" });
    expect(found.leaderboard.trials).toHaveLength(8);
  });

  test.each<Validation>([
    { kind: "holdout" },
    { kind: "time", column: "at" },
    { kind: "group", column: "who", share: 0.3 },
  ])("never sees rows that are held out by $kind", (validation) => {
    const parameters = { validation, maxTrials: 4, refit: false };
    const before = search(table, asked, parameters);
    const heldOut = heldOutRows(asked, validation);
    expect(heldOut).toHaveLength(before.metrics.rows.test);
    const strange = (row: Row): Row => ({ ...row, a: 1e6, b: -1e6, colour: "never seen" });
    const poisoned = table.map((row, at) => (heldOut.includes(at) ? strange(row) : row));
    const after = search(poisoned, asked, parameters);
    expect(after.leaderboard).toEqual(before.leaderboard);
    expect(after.document.model).toEqual(before.document.model);
    expect(after.metrics).not.toEqual(before.metrics);
    // And what is learnt from is seen.
    const learnt = table.findIndex((_, at) => !heldOut.includes(at));
    const other = search(table.with(learnt, strange(table[learnt]!)), asked, parameters);
    expect(other.leaderboard).not.toEqual(before.leaderboard);
  });
});

/** Where all rows have a target, places of it are rows. */
function heldOutRows({ target, task }: Asked, validation: Validation): number[] {
  const columns = new Map(toTable(table).columns.map((column) => [column.name, column]));
  const facts = { target: readTarget(columns.get(target)!, task), targetName: target, columns };
  const plan = planValidation(validation, { ...facts, seed: usualSeed, usualRepeats: () => 1 });
  if (!("split" in plan)) throw new Error("It holds nothing out.");
  return [...plan.split.heldOut];
}

test("by folds each fold has a search of its own, and trials are compared by folds of groups where the run is", () => {
  const validation: Validation = { kind: "group", column: "who", folds: 3 };
  const { leaderboard, metrics } = search(table, ofClasses, { validation, maxTrials: 3 });
  expect(leaderboard).toMatchObject({ foldsSearched: 3, validation: { kind: "group", column: "who", folds: 5 } });
  expect(metrics.rows).toEqual({ train: 160, test: 160 });
});

test("where too few groups are left trials are compared by folds of rows, and of next to no rows by two", () => {
  const twoGroups = table.map((row, at) => ({ ...row, who: at % 4 === 0 ? "a" : "b" }));
  const validation: Validation = { kind: "group", column: "who" };
  const { leaderboard } = search(twoGroups, ofClasses, { validation, maxTrials: 2 });
  expect(leaderboard.validation).toMatchObject({ kind: "folds", folds: 5, repeats: 2 });
  // Of the six that are learnt from two are of a class of one row, and never held out.
  const few = ["a", "a", "a", "b", "b", "b", "c", "d"].map((label, row) => ({ label, n: row * 1.5, m: row % 3 }));
  const found = search(
    few,
    { target: "label", task: "classification" },
    { maxTrials: 2, validation: { kind: "holdout" } },
  );
  expect(found.leaderboard.validation).toMatchObject({ kind: "folds", folds: 2 });
});

test("seconds stop a search between trials, and it says so", () => {
  let now = 0;
  const nowMs = () => (now += 1000);
  const { leaderboard } = search(table, ofClasses, { maxTrials: 20, maxSeconds: 30 }, { nowMs });
  expect(leaderboard.stoppedBy).toBe("seconds");
  expect(leaderboard.trialsDone).toBeGreaterThan(0);
  expect(leaderboard.trialsDone).toBeLessThan(20);
  // One is tried, however little time there is.
  expect(search(table, ofClasses, { maxSeconds: 1 }, { nowMs }).leaderboard).toMatchObject({ trialsDone: 1 });
});

test("who wants the end gets the best so far", () => {
  const boards: Leaderboard[] = [];
  const onTrial = (board: Leaderboard) => boards.push(board);
  const { leaderboard, document } = search(table, ofNumbers, {}, { onTrial, isEndWanted: () => boards.length === 3 });
  expect(leaderboard).toMatchObject({ stoppedBy: "cancel", trialsDone: 3 });
  expect(leaderboard.trials).toEqual(boards.at(-1)!.trials);
  expect(document.mode).toBe(leaderboard.trials[0]!.mode);
});

test("who wants the end by folds has the rest of them measured by the run's best, and is told how many were searched", () => {
  const validation: Validation = { kind: "folds", folds: 4, repeats: 1 };
  let isFitted = false;
  const hooks = { onFitted: () => (isFitted = true), isEndWanted: () => isFitted };
  const found = search(table, ofClasses, { validation, maxTrials: 3 }, hooks);
  expect(found.leaderboard).toMatchObject({ foldsSearched: 0, stoppedBy: "cancel", trialsDone: 3 });
  const { mode, parameters } = found.document;
  const alone = trainModel({ table: toTable(table), ...ofClasses, mode, parameters: parameters! }, () => {});
  expect(found.metrics).toEqual(alone.metrics);
  // Wanted in the middle of a fold's search, that fold has none of its own either.
  let asked = 0;
  const isEndWanted = () => {
    if (isFitted) asked += 1;
    return asked > 2;
  };
  const later = { onFitted: hooks.onFitted, isEndWanted };
  isFitted = false;
  const cut = search(table, ofClasses, { validation, maxTrials: 3 }, later);
  expect(cut.leaderboard.foldsSearched).toBe(0);
  expect(cut.metrics).toEqual(alone.metrics);
});

test("a trial that can't be learnt is told, and the others go on", () => {
  const rows = Array.from({ length: 60 }, (_, row) => ({ a: (row + 1) * 1e-39, y: row * 10 }));
  const { leaderboard, document } = search(rows, { target: "y", task: "regression" }, { maxTrials: 4 });
  expect(leaderboard.trials.filter(({ mode }) => mode === "light")).toMatchObject([
    { score: null, error: "NUMBERS_OUT_OF_RANGE", isBest: false },
  ]);
  expect(document.mode).toBe("heavy");
});

test("progress only grows, to 1, and a trial is told after each step", () => {
  const seen: number[] = [];
  let told = 0;
  search(table, ofNumbers, { maxTrials: 8 }, { onProgress: (one) => seen.push(one), onTrial: () => (told += 1) });
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(seen.at(-1)).toBe(1);
  expect(told).toBeGreaterThanOrEqual(8);
});

test("what is tried is fixed by the seed, begins with both defaults, and is what the API takes", () => {
  const [some, same, others] = [1, 1, 2].map((seed) => drawCandidates("classification", 200, seed));
  expect(same).toEqual(some);
  expect(others).not.toEqual(some);
  expect(some!.slice(0, 2)).toEqual([
    { mode: "light", parameters: {} },
    { mode: "heavy", parameters: {} },
  ]);
  expect(new Set(some!.map((one) => JSON.stringify(one))).size).toBe(200);
  for (const { parameters } of some!.slice(10)) {
    expect(parameters.rounds).toBeLessThanOrEqual(5000);
    expect(parameters.maxBins).toBeLessThanOrEqual(255);
  }
  expect(drawCandidates("regression", 20, 1).some(({ parameters }) => parameters.gamma !== undefined)).toBe(false);
});

test("a fold whose search was cut short is measured by the run's best, and the run says why", () => {
  const validation: Validation = { kind: "folds", folds: 2, repeats: 1 };
  const parameters = { validation, maxTrials: 3, maxSeconds: 30 };
  const undisturbed = search(table, ofNumbers, parameters);
  expect(undisturbed.leaderboard).toMatchObject({ stoppedBy: "trials", foldsSearched: 2 });
  let now = 0;
  const { leaderboard, metrics } = search(table, ofNumbers, parameters, {
    nowMs: () => now,
    // The rest of the time goes by between the run's own search and those of the folds.
    onFitted: () => {
      now = 60_000;
    },
  });
  expect(leaderboard.trials).toEqual(undisturbed.leaderboard.trials);
  expect(leaderboard).toMatchObject({ stoppedBy: "seconds", foldsSearched: 0 });
  const { mode, parameters: best } = leaderboard.trials[0]!;
  const alone = trainModel(
    { table: toTable(table), ...ofNumbers, mode, parameters: { ...best, validation } },
    () => {},
  );
  expect(metrics.rmse).toBe(alone.metrics.rmse);
});

test("where the inner part would have one class alone, trials are compared by folds of rows", () => {
  const late = table.map((row, at) => ({ ...row, late: at >= 100 ? "yes" : "no" }));
  const validation: Validation = { kind: "time", column: "at" };
  const { leaderboard } = search(late, { ...ofClasses, target: "late" }, { validation, maxTrials: 2 });
  expect(leaderboard.validation).toMatchObject({ kind: "folds" });
});
