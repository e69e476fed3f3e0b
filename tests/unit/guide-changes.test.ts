import { expect, test } from "vitest";
import { guideChanges } from "../support/guide-changes.ts";

test("the changes that the guide shows fit the code as it is", () => {
  expect([...guideChanges().keys()]).toContain("src/monitoring/metrics.ts");
});
