import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** What stands between the parentheses that open before `from`. */
function argumentsAt(text: string, from: number): string {
  let depth = 1;
  let at = from;
  for (; depth > 0 && at < text.length; at++) {
    if ("([{".includes(text[at]!)) depth += 1;
    else if (")]}".includes(text[at]!)) depth -= 1;
  }
  return text.slice(from, at);
}

/** Patterns that stand as values within `toMatchObject`. */
const bareIn = (text: string): string[] =>
  [...text.matchAll(/toMatchObject\(/g)].flatMap((call) =>
    [...argumentsAt(text, call.index + call[0].length).matchAll(/[:[,]\s*(\/(?:[^/\n\\]|\\.)+\/[a-z]*)\s*[,}\]]/g)].map(
      ([, pattern = ""]) => pattern,
    ),
  );

test("no test compares a text with a pattern that matches any: within toMatchObject a pattern has nothing to be unlike", () => {
  expect(() => expect({ message: "hello" }).toMatchObject({ message: /nothing/ })).not.toThrow();
  const files = globSync("tests/**/*.ts", { cwd: root }).filter(
    (path) => path !== "tests/unit/compared-patterns.test.ts",
  );
  const faults = files.flatMap((path) =>
    bareIn(readFileSync(join(root, path), "utf8")).map((pattern) => `${path}: ${pattern}`),
  );
  expect(faults).toEqual([]);
  expect(bareIn("expect(x).toMatchObject({ a: [{ b: /one/ }], c: /two/i })")).toEqual(["/one/", "/two/i"]);
});
