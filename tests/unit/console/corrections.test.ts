import { expect, test } from "vitest";
import type { DescribedDataset } from "../../../src/console/api/answers.ts";
import { asUnderstood, correctionOf, roleOf, withRole, withType } from "../../../src/console/words/corrections.ts";

const table = {
  target: "price",
  understood: {
    columns: [
      { name: "", type: null, role: "left out" },
      { name: "zip", type: "number", role: "feature" },
      { name: "id", type: "number", role: "left out" },
      { name: "__proto__", type: "text", role: "feature" },
      { name: "price", type: "number", role: "target" },
    ],
  },
} as unknown as DescribedDataset;
const nothing = asUnderstood(table);

test("only what differs is sent: types that were said, another target, the whole list of those left out", () => {
  expect(correctionOf(table, nothing)).toBeUndefined();
  expect(correctionOf(table, withType(nothing, "zip", "text"))).toEqual({ types: { zip: "text" } });
  expect(correctionOf(table, withType(nothing, "zip", null))).toEqual({ types: { zip: null } });
  expect(JSON.stringify(correctionOf(table, withType(nothing, "__proto__", "number")))).toBe(
    '{"types":{"__proto__":"number"}}',
  );
  expect(correctionOf(table, withRole(nothing, "zip", "left out"))).toEqual({ leftOut: ["id", "zip"] });
  expect(correctionOf(table, withRole(nothing, "id", "feature"))).toEqual({ leftOut: [] });
  // One that was left out may be predicted, and then it isn't left out.
  expect(correctionOf(table, withRole(nothing, "id", "target"))).toEqual({ target: "id", leftOut: [] });
});

test("what is said and taken back is nothing, and a target before is learnt from", () => {
  expect(correctionOf(table, withType(withType(nothing, "zip", "text"), "zip", undefined))).toBeUndefined();
  expect(correctionOf(table, withRole(withRole(nothing, "zip", "left out"), "zip", "feature"))).toBeUndefined();
  const other = withRole(nothing, "zip", "target");
  expect(["zip", "price", "id"].map((name) => roleOf(other, name))).toEqual(["target", "feature", "left out"]);
});
