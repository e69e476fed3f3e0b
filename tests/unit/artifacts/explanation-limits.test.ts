import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { requireExplainable } from "../../../src/artifacts/explanation-limits.ts";
import { explanationWork } from "../../../src/models/explain-rows.ts";
import type { ModelDocument, XgboostTreeBooster } from "../../../src/models/model.ts";
import { faultOf } from "../../support/fault-of.ts";

const read = (name: string): ModelDocument =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), "utf8")).document;

test("a light model without the means of its features can't be explained, and says so", async () => {
  expect((await faultOf(() => requireExplainable(read("light-1.1.0"), 1))).code).toBe("EXPLANATION_UNAVAILABLE");
  requireExplainable(read("heavy-1.2.0"), 1_000);
});

test("what would take too long is refused, with the number of rows that would not", async () => {
  const document = read("heavy-1.2.0");
  const booster = document.model.learner.gradient_booster as XgboostTreeBooster;
  const times = Math.ceil(4e7 / explanationWork(document).rowNs);
  booster.model.trees = Array.from({ length: times }, () => booster.model.trees).flat();
  const fault = await faultOf(() => requireExplainable(document, 1_000));
  expect(fault.code).toBe("PREDICTION_TOO_LARGE");
  const most = Number(/Send (\d+) at most/.exec(fault.message)?.[1]);
  requireExplainable(document, most);
  await faultOf(() => requireExplainable(document, most + 1));
});
