import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readConsole } from "../../../src/http/console-pages.ts";

test("a console that is not built is none, and one that can't be read is none too, with the reason", () => {
  const folder = mkdtempSync(join(tmpdir(), "console-pages-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const faults: unknown[] = [];
  const read = () => readConsole((error) => faults.push(error), join(folder, "console"));
  expect([read(), faults]).toEqual([undefined, []]);
  mkdirSync(join(folder, "console", "assets"), { recursive: true });
  mkdirSync(join(folder, "console", "index.html"));
  expect(read()).toBeUndefined();
  expect(faults).toMatchObject([{ code: "EISDIR" }]);
  rmSync(join(folder, "console", "index.html"), { recursive: true });
  writeFileSync(join(folder, "console", "index.html"), "<html>");
  writeFileSync(join(folder, "console", "assets", "a.js"), "");
  expect(read()).toEqual({ document: "<html>", files: new Set(["a.js"]) });
});
