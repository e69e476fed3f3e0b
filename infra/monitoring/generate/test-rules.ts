/**
 * `npm run monitoring:test [FILE...]`: lets promtool (PROMTOOL_BIN, else that of the PATH) run the tests of the committed
 * rules, or of these files only (`datasets`), and ends with 1 where one fails. The tests are made for it in a temporary
 * folder, with the RUNBOOK_BASE_URL that the rules were made with.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readReceivers } from "../alerting/receiver-settings.ts";
import { ruleTestFiles } from "../rules/rule-tests.ts";

const promtool = process.env.PROMTOOL_BIN ?? "promtool";
const rulesFolder = resolve(import.meta.dirname, "../prometheus/rules");

/** Which of the names are asked for; throws if one is none of them, so that a typing mistake is no success. */
function chosen(names: readonly string[], asked: readonly string[]): readonly string[] {
  const unknown = asked.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`No such tests: ${unknown.join(", ")}. There are: ${names.join(", ")}.`);
  return asked.length === 0 ? names : asked;
}

/** Whether promtool likes a file; what it says where it doesn't is printed. */
function passes(name: string, file: string): Promise<boolean> {
  return new Promise((resolvePassed) => {
    // Its heap is small: collecting it four times less often saves a quarter of the time.
    const env = { ...process.env, GOGC: "400" };
    execFile(promtool, ["test", "rules", file], { env, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      if (error !== null) process.stdout.write(`${stdout}${stderr || `${error.message}\n`}`);
      process.stdout.write(`${error === null ? "PASS" : "FAIL"} promtool test rules: ${name}\n`);
      resolvePassed(error === null);
    });
  });
}

const { receivers, faults } = readReceivers({ RUNBOOK_BASE_URL: process.env.RUNBOOK_BASE_URL });
if (faults.length > 0) throw new Error(faults.join("\n"));
const folder = mkdtempSync(join(tmpdir(), "mlops-backend-rule-tests-"));
try {
  const files = ruleTestFiles(rulesFolder, receivers.runbooks);
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  const names = [...files.keys()].map((name) => name.replace(/\.yml$/, ""));
  const waiting = [...chosen(names, process.argv.slice(2))];
  const results: boolean[] = [];
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift())
      results.push(await passes(name, join(folder, `${name}.yml`)));
  };
  await Promise.all([work(), work()]); // promtool itself keeps to one core
  if (results.includes(false)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
