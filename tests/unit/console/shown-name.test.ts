import { expect, test } from "vitest";
import { shownName } from "../../../src/console/words/shown-name.ts";

test("a name that runs from right to left stays within itself, and one that would be shown reversed is told", () => {
  expect(shownName("weight, kg (№ 5)")).toBe("weight, kg (№ 5)");
  expect(shownName("цена")).toBe("цена");
  expect(shownName("מחיר")).toBe("\u2068מחיר\u2069");
  expect(shownName("سعر 2")).toBe("\u2068سعر 2\u2069");
  expect(shownName("pay\u202eelas")).toBe("pay\ufffdelas");
  // It would end an isolate that stands around it.
  expect(shownName("סוף\u2069b")).toBe("\u2068סוף\ufffdb\u2069");
});
