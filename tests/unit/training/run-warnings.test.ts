import { expect, test } from "vitest";
import type { ColumnUse } from "../../../src/models/column-use.ts";
import { hintsOfTarget } from "../../../src/models/target-hints.ts";
import { runWarningsOf } from "../../../src/training/run-warnings.ts";

const uses: ColumnUse[] = [
  { name: "target", as: "left_out", reason: "target" },
  { name: "aside", as: "left_out", reason: "not_asked_for" },
  { name: "\u{1f427}".repeat(60), as: "left_out", reason: "empty" },
  { name: "good", as: "number", missing: 0, imputed: 0, rounded: 0 },
];

const target = { name: "target", hints: [] };

test("only what was asked for in vain is warned of, its name cut between letters in words alone", () => {
  const { count, first } = runWarningsOf(["good", uses[2]!.name, "target"], uses, target);
  const [warning] = first;
  expect([count, first.length]).toEqual([1, 1]);
  expect(warning).toMatchObject({ code: "COLUMN_EMPTY", column: uses[2]!.name });
  expect(warning?.message).toMatch(/^«\u{1f427}{40}» has no value/u);
  expect(runWarningsOf(undefined, uses, target)).toEqual({ count: 0, first: [] });
});

test("of many columns fifty are named, and all are counted", () => {
  const many = Array.from(
    { length: 70 },
    (_, at): ColumnUse => ({ name: `c${at}`, as: "left_out", reason: "constant" }),
  );
  const names = many.map(({ name }) => name);
  const { count, first } = runWarningsOf(names, many, target);
  expect([count, first.map(({ column }) => column)]).toEqual([70, names.slice(0, 50)]);
});

test("a target of which nearly every row is one class, or that counts a few things, is warned of first", () => {
  const warningsOf = (values: number[], classes?: string[]) => {
    const measured = classes && { classes, counts: classes.map((_, truth) => classes.map((__, said) => truth + said)) };
    const hints = hintsOfTarget(Float64Array.from(values), measured);
    return runWarningsOf([uses[2]!.name], uses, { name: "target", hints }).first;
  };
  const rare = (share: number) => Array.from({ length: 1000 }, (_, row) => Number(row < share * 1000));
  expect(warningsOf(rare(0.051), ["no", "yes"]).map(({ code }) => code)).toEqual(["COLUMN_EMPTY"]);
  expect(warningsOf(rare(0.05), ["no", "yes"]).map(({ code }) => code)).toEqual(["TARGET_IMBALANCED", "COLUMN_EMPTY"]);
  expect(warningsOf([...rare(0), ...rare(0), 1], ["no", "yes"])[0]).toEqual({
    code: "TARGET_IMBALANCED",
    column: "target",
    message:
      "«target» is «no» in 99.9 % of the rows: who always says so has that accuracy, which alone misleads. Look at metrics.positive and metrics.averagePrecision.",
  });
  expect(warningsOf([...rare(0.01), 2], ["a", "b", "c"])[0]?.message).toMatch(/Look at metrics\.balancedAccuracy\.$/);

  const classes = Array.from({ length: 8 }, (_, at) => `k${at}`);
  const values = Float64Array.from({ length: 80 }, (_, row) => row % 8);
  const notMeasured = (those: number) => {
    const measured = classes.map((_, truth) => classes.map(() => (truth < those ? 0 : 1)));
    const hints = hintsOfTarget(values, { classes, counts: measured });
    return runWarningsOf([], uses, { name: "target", hints }).first.map(({ message }) => message);
  };
  expect(notMeasured(0)).toEqual([]);
  expect(notMeasured(1)).toEqual([
    "«target» has rows of «k0» that are learnt from, and none among those that were measured on: no metric says how well that is found. Send more rows of it, or measure on others (`validation`).",
  ]);
  expect(notMeasured(7)[0]).toContain("has rows of «k0», «k1», «k2», «k3», «k4» and 2 more that");

  const counts = Array.from({ length: 100 }, (_, row) => row % 30);
  expect(warningsOf(counts)[0]).toMatchObject({
    code: "TARGET_FEW_COUNTS",
    message: expect.stringMatching(/^«target» has 30 different whole numbers, up to 29: /),
  });
  for (const others of [
    [...counts, 30],
    [...counts, 0.5],
    [...counts, -1],
  ])
    expect(warningsOf(others).map(({ code }) => code)).toEqual(["COLUMN_EMPTY"]);
});
