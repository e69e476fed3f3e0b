import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { explanationOf } from "../../../src/console/words/explanation.ts";
import { curlSnippet, pythonSnippet } from "../../../src/console/words/snippets.ts";

const row = { 'it\'s "$HOME" `x` \\n': 1e21, ж: "d'or\n", ok: true, none: null };

test("a shell takes the row as it is, whatever is in it, and reads the key from a variable", () => {
  const snippet = curlSnippet({ root: "http://127.0.0.1:8000/lab/", id: "any", row, hasKey: true });
  // As a shell hears it: each of curl's words in a line of its own, ended by NUL.
  const words = execFileSync("bash", ["-c", `curl() { printf '%s\\0' "$@"; }\n${snippet}`], {
    env: { ...process.env, API_KEY: "a key" },
    encoding: "utf8",
  }).split("\0");
  expect(words).toEqual([
    "-sS",
    "http://127.0.0.1:8000/lab/api/ml/v1/artifacts/any/predictions",
    "-H",
    "Authorization: Bearer a key",
    "-H",
    "Content-Type: application/json",
    "-d",
    JSON.stringify({ rows: [row] }),
    "",
  ]);
  expect(curlSnippet({ root: "http://a/", id: "any", row, hasKey: false })).not.toContain("API_KEY");
});

test("Python's lines have the row as Python writes it, and read the key from a variable", () => {
  const snippet = pythonSnippet({ root: "http://127.0.0.1:8000/", id: "any", row, hasKey: true });
  expect(snippet).toContain(
    `rows = [{"it's \\"$HOME\\" \`x\` \\\\n": 1e+21, "ж": "d'or\\n", "ok": True, "none": None}]`,
  );
  expect(snippet).toContain('os.environ["API_KEY"]');
  expect(pythonSnippet({ root: "http://a/", id: "any", row, hasKey: false })).not.toContain("API_KEY");
});

test("of more than two classes the one that is said is explained; what adds nothing is no reason", () => {
  const of = (output: string, contributions: Record<string, number>) => ({ output, bias: 0, contributions, margin: 0 });
  const prediction = "b";
  const explanation = [of("a", { x: 1 }), of("b", { x: -1, y: 2, z: 0 })];
  expect(explanationOf({ prediction, explanation })).toEqual({
    output: "b",
    contributions: [
      { name: "y", value: 2, length: 1 },
      { name: "x", value: -1, length: 0.5 },
    ],
  });
  // Of two there is one, of the second; the reader is told of which.
  expect(explanationOf({ prediction: "a", explanation: [of("b", { x: 1 })] })?.output).toBe("b");
  expect(explanationOf({ prediction, explanation: [of("b", { x: 0 })] })).toBeUndefined();
  expect(explanationOf({ prediction })).toBeUndefined();
});
