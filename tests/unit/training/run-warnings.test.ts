import { expect, test } from "vitest";
import type { ColumnUse } from "../../../src/models/column-use.ts";
import { runWarningsOf } from "../../../src/training/run-warnings.ts";

const uses: ColumnUse[] = [
  { name: "target", as: "left_out", reason: "target" },
  { name: "aside", as: "left_out", reason: "not_asked_for" },
  { name: "\u{1f427}".repeat(60), as: "left_out", reason: "empty" },
  { name: "good", as: "number", missing: 0, imputed: 0 },
];

test("only what was asked for in vain is warned of, its name cut between letters in words alone", () => {
  const [warning, ...others] = runWarningsOf(["good", uses[2]!.name, "target"], uses);
  expect(others).toEqual([]);
  expect(warning).toMatchObject({ code: "COLUMN_EMPTY", column: uses[2]!.name });
  expect(warning?.message).toMatch(/^«\u{1f427}{40}» has no value/u);
  expect(runWarningsOf(null, uses)).toEqual([]);
});
