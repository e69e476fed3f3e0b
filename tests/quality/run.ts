/**
 * `npm run quality [-- --sets iris,wine --seeds 2 --out quality.json]`: how good our models are on real tables, beside
 * scikit-learn, xgboost and lightgbm on the same rows. Ends with 1 where they are not as good as they should be.
 * docs/quality.md says what is measured and has the last table.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../e2e/processes.ts";
import { type Parameters, writeOurAnswers } from "./our-answers.ts";
import { openPythonSide } from "./python-side.ts";
import { isRuleHeld, qualityOf, tableOf, verdictOf } from "./verdict.ts";

const { values: options } = parseArgs({
  options: {
    sets: { type: "string" },
    seeds: { type: "string", default: "0" },
    out: { type: "string" },
    work: { type: "string", default: join(root, ".cache", "quality") },
    light: { type: "string", default: "{}" },
    heavy: { type: "string", default: "{}" },
  },
});
const seeds = Number(options.seeds);
if (!Number.isInteger(seeds) || seeds < 0)
  fail("--seeds takes a whole number, 0 for as many as a table's size asks for");
const parameters: Parameters = { light: jsonOf("light"), heavy: jsonOf("heavy") };

const tables = join(options.work, "tables");
const python = await openPythonSide(options.work, tables);
const known = await python.names();
const chosen = options.sets?.split(",") ?? known;
const unknown = chosen.filter((name) => !known.includes(name));
if (unknown.length > 0) fail(`--sets takes some of ${known.join(", ")}, not ${unknown.join(", ")}`);

const sets = await python.writeSets(chosen, seeds);
const faults = await writeOurAnswers(tables, sets, parameters, (set, seed, seconds) => {
  process.stderr.write(`${set}, split ${seed}: ${seconds.toFixed(1)} s\n`);
});
const measured = await python.score(chosen);
const qualities = qualityOf(sets, measured);
if (options.out !== undefined) {
  await writeFile(options.out, `${JSON.stringify({ parameters, qualities, faults, ...measured }, undefined, 2)}\n`);
}
process.stdout.write(`${[...tableOf(qualities), "", ...faults, verdictOf(qualities)].join("\n")}\n`);
process.exitCode = faults.length === 0 && isRuleHeld(qualities) ? 0 : 1;

function jsonOf(name: "light" | "heavy"): object {
  try {
    return JSON.parse(options[name]) as object;
  } catch {
    fail(`--${name} takes parameters of a run, as JSON`);
  }
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
