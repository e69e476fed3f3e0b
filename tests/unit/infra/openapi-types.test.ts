import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { describedApi, hashOf } from "../../../infra/openapi-types/document.ts";

test("the console's types are of the API as it is: `npm run console:types` makes them anew", () => {
  const types = readFileSync(new URL("../../../src/console/api/openapi.d.ts", import.meta.url), "utf8");
  expect(types.split("\n", 1)[0]).toContain(hashOf(describedApi()));
});
