import { expect, test } from "vitest";
import type { ColumnUse } from "../../../src/models/column-use.ts";
import { runWarningsOf } from "../../../src/training/run-warnings.ts";

const uses: ColumnUse[] = [
  { name: "target", as: "left_out", reason: "target" },
  { name: "aside", as: "left_out", reason: "not_asked_for" },
  { name: "\u{1f427}".repeat(60), as: "left_out", reason: "empty" },
  { name: "good", as: "number", missing: 0, imputed: 0, rounded: 0 },
];

test("only what was asked for in vain is warned of, its name cut between letters in words alone", () => {
  const { count, first } = runWarningsOf(["good", uses[2]!.name, "target"], uses);
  const [warning] = first;
  expect([count, first.length]).toEqual([1, 1]);
  expect(warning).toMatchObject({ code: "COLUMN_EMPTY", column: uses[2]!.name });
  expect(warning?.message).toMatch(/^«\u{1f427}{40}» has no value/u);
  expect(runWarningsOf(undefined, uses)).toEqual({ count: 0, first: [] });
});

test("of many columns fifty are named, and all are counted", () => {
  const many = Array.from(
    { length: 70 },
    (_, at): ColumnUse => ({ name: `c${at}`, as: "left_out", reason: "constant" }),
  );
  const names = many.map(({ name }) => name);
  const { count, first } = runWarningsOf(names, many);
  expect([count, first.map(({ column }) => column)]).toEqual([70, names.slice(0, 50)]);
});
