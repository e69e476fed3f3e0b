import { readFileSync } from "node:fs";
import { matchesGlob } from "node:path";
import { expect, test } from "vitest";
import { generatedFiles } from "../../../infra/monitoring/generate/generate.ts";
import { root } from "./stack-files.ts";

/** Files that git is told of, where their format has no comments. */
const attributed = readFileSync(`${root}/.gitattributes`, "utf8")
  .split("\n")
  .filter((line) => line.endsWith(" linguist-generated"))
  .map((line) => line.split(" ")[0]!);

test("every generated file says so in its first lines, or git is told; of three, a part is marked", () => {
  expect(attributed.length).toBeGreaterThan(0);
  const files = [...generatedFiles()];
  const unmarked = files.filter(
    ([path, text]) =>
      !/generated (from|by)/i.test(text.split("\n", 3).join("\n")) &&
      !attributed.some((pattern) => matchesGlob(path, pattern)),
  );
  expect(unmarked.map(([path]) => path)).toEqual(["docs/operations.md", "docs/monitoring.md", "docs/telemetry.md"]);
  for (const [, text] of unmarked) expect(text).toContain("<!-- By `npm run monitoring:generate` from here -->");
  // A pattern that no file has any more would hide the next one of that name.
  expect(attributed.filter((pattern) => !files.some(([path]) => matchesGlob(path, pattern)))).toEqual([]);
});
