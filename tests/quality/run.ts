/**
 * `npm run quality`: how good our models are on real tables, beside scikit-learn, xgboost and lightgbm on the same rows. Ends
 * with 1 where they are not as good as they should be. docs/quality.md says what is measured, with which options, and has the
 * last table.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { withGeneratedPart } from "../../infra/monitoring/generate/generated-part.ts";
import { root } from "../e2e/processes.ts";
import { type Held, heldOf, worseThan } from "./held.ts";
import { type Parameters, writeOurAnswers } from "./our-answers.ts";
import { openPythonSide, type QualitySet } from "./python-side.ts";
import { isRuleHeld, type Measured, qualityOf, tableOf, verdictOf } from "./verdict.ts";

const heldFile = join(import.meta.dirname, "small.json");
const smallSeeds = 2;

const { values: options } = parseArgs({
  options: {
    sets: { type: "string" },
    seeds: { type: "string", default: "0" },
    small: { type: "boolean", default: false },
    renew: { type: "boolean", default: false },
    docs: { type: "boolean", default: false },
    out: { type: "string" },
    work: { type: "string", default: join(root, ".cache", "quality") },
    light: { type: "string", default: "{}" },
    heavy: { type: "string", default: "{}" },
  },
});
const seeds = options.small ? smallSeeds : Number(options.seeds);
if (!Number.isInteger(seeds) || seeds < 0)
  refuse("--seeds takes a whole number, 0 for as many as a table's size asks for");
if (options.small && options.sets !== undefined && !options.renew)
  refuse("--small has sets of its own; --renew changes them");
const parameters: Parameters = { light: jsonOf("light"), heavy: jsonOf("heavy") };
const held = JSON.parse(await readFile(heldFile, "utf8")) as Held;

const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ending.abort(new Error(signal)));
const tables = join(options.work, "tables");
const python = await openPythonSide(options.work, tables, ending.signal);
const known = await python.names();
const chosen = options.sets?.split(",") ?? (options.small ? Object.keys(held) : known);
const unknown = chosen.filter((name) => !known.includes(name));
if (unknown.length > 0) refuse(`--sets takes some of ${known.join(", ")}, not ${unknown.join(", ")}`);

const sets = await python.writeSets(chosen, seeds);
const faults = await writeOurAnswers(tables, sets, parameters, {
  signal: ending.signal,
  onDone: (set, seed, seconds) => process.stderr.write(`${set}, split ${seed}: ${seconds.toFixed(1)} s\n`),
});
const measured = await python.score(chosen);
const qualities = qualityOf(sets, measured);
const table = tableOf(qualities);
const worse = options.small && !options.renew ? worseThan(held, qualities) : [];
// Of a few sets the rule says nothing: they were chosen.
const verdict = options.small
  ? [`Worse than measured before: ${worse.join("; ") || "nothing"}.`]
  : [verdictOf(qualities)];
process.stdout.write(`${[...table, "", ...verdict, ...faults].join("\n")}\n`);
if (options.out !== undefined) {
  await writeFile(options.out, `${JSON.stringify({ parameters, qualities, faults, ...measured }, undefined, 2)}\n`);
}
if (options.docs) await writeDocument();
if (options.small && options.renew) await writeFile(heldFile, `${JSON.stringify(heldOf(qualities), undefined, 2)}\n`);
const isGoodEnough = options.small ? worse.length === 0 : isRuleHeld(qualities);
process.exitCode = faults.length === 0 && isGoodEnough ? 0 : 1;

async function writeDocument(): Promise<void> {
  const path = join(root, "docs", "quality.md");
  const lines = [
    `${new Date().toISOString().slice(0, 10)}; ${versionsOf(measured, sets)}.`,
    "",
    ...table,
    "",
    verdictOf(qualities),
  ];
  const document = await readFile(path, "utf8");
  await writeFile(path, withGeneratedPart(path, document, lines, "npm run quality -- --docs"));
}

function versionsOf({ versions }: Measured, of: readonly QualitySet[]): string {
  const packages = Object.fromEntries(of.map(({ source, version }) => [source.split("/")[0]!, version]));
  return Object.entries({ ...packages, ...versions })
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}

function jsonOf(name: "light" | "heavy"): object {
  try {
    return JSON.parse(options[name]) as object;
  } catch {
    refuse(`--${name} takes parameters of a run, as JSON`);
  }
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
