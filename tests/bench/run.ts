/** `npm run bench [-- --only service] [--rounds 3] [--json file]`: tables on stdout, the same figures as JSON in a file. */
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { type Line, table } from "./figures.ts";
import { benchHttp } from "./http-bench.ts";
import { benchPredictions } from "./predict-bench.ts";
import { benchProfile } from "./profile-bench.ts";
import { benchRules } from "./rules-bench.ts";
import { benchScrape } from "./scrape-bench.ts";
import { benchService } from "./service-bench.ts";
import { benchThroughput } from "./throughput-bench.ts";
import { benchTrees } from "./trees-bench.ts";
import { benchWalk } from "./walk-bench.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "3" },
    json: { type: "string", default: "bench.json" },
  },
});
const sections: Record<string, (rounds: number) => Promise<Line[]>> = {
  http: benchHttp,
  scrape: benchScrape,
  service: benchService,
  predictions: benchPredictions,
  walk: benchWalk,
  profile: benchProfile,
  rules: benchRules,
  throughput: benchThroughput,
  trees: benchTrees,
};
/** Some need programs that are not in this repository, and minutes; a profile explains and compares nothing. */
const onRequest = new Set(["profile", "rules", "throughput", "trees"]);
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1 || (options.only !== undefined && !(options.only in sections))) {
  process.stderr.write(`--rounds takes a number from 1, --only one of: ${Object.keys(sections).join(", ")}\n`);
  process.exit(2);
}

const machine = {
  node: process.version,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  memoryGib: Math.round(totalmem() / 2 ** 30),
  date: new Date().toISOString().slice(0, 10),
};
process.stdout.write(`${Object.values(machine).join(", ")}\n`);
const results: Record<string, Line[]> = {};
const startedMs = performance.now();
for (const [name, bench] of Object.entries(sections)) {
  if (options.only === undefined ? onRequest.has(name) : options.only !== name) continue;
  const began = performance.now();
  results[name] = await bench(rounds);
  process.stdout.write(`\n${name} (${((performance.now() - began) / 1000).toFixed(0)} s)\n\n${table(results[name])}\n`);
}
process.stdout.write(`\nall: ${((performance.now() - startedMs) / 1000).toFixed(0)} s\n`);
writeFileSync(options.json, `${JSON.stringify({ machine, results }, undefined, 2)}\n`);
