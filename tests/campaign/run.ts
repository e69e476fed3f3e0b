/**
 * `npm run campaign -- --database postgres --kills 20 --seed 7 [--minutes 5] [--json file]`: kills the service, and its
 * database, under clients that upload, train, cancel, delete and predict; then counts what was acknowledged and what is
 * left. Ends with 1 where a promise was broken. docs/reliability.md has its figures.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type CampaignReport, runCampaign } from "./campaign.ts";

const longestStartCpuSeconds = 10;
const mostFaultsTold = 30;

const { values } = parseArgs({
  options: {
    database: { type: "string", default: "pglite" },
    kills: { type: "string", default: "20" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    minutes: { type: "string", default: "60" },
    json: { type: "string" },
  },
});
const { database } = values;
const [kills, seed, minutes] = [Number(values.kills), Number(values.seed), Number(values.minutes)];
if (
  (database !== "pglite" && database !== "postgres") ||
  !(Number.isInteger(kills) && kills > 0 && Number.isInteger(seed) && minutes > 0)
) {
  process.stderr.write("--database takes pglite or postgres; --kills, --seed and --minutes take numbers from 1.\n");
  process.exit(2);
}

/** Everything that must not be, in words. */
function faultsOf({ promises, leftBehind, startCpuSeconds }: CampaignReport): string[] {
  const {
    filesForTheSweep: _files,
    temporaryForTheSweep: _temporary,
    profilesCrashed: _crashed,
    ...mustBeNone
  } = leftBehind;
  const left = Object.entries(mustBeNone).filter(([, count]) => count !== 0);
  // The first one makes the database: it is what the others are compared to.
  const slow = startCpuSeconds.slice(1).filter((seconds) => seconds > longestStartCpuSeconds);
  return [
    ...promises.broken,
    ...left.map(([what, count]) => `left behind: ${what} ${count}`),
    ...slow.map((seconds) => `a start took ${seconds} s of CPU`),
  ];
}

const startedMs = performance.now();
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ending.abort());
const onKill = (soFar: object): void => void process.stderr.write(`${JSON.stringify(soFar)}\n`);
const report = await runCampaign({ database, kills, seed, minutes }, { onKill, signal: ending.signal });
const { promises, startCpuSeconds, ...rest } = report;
const sorted = startCpuSeconds.slice(1).toSorted((one, other) => one - other);
const faults = faultsOf(report);
const figures = {
  database,
  seed,
  seconds: Math.round((performance.now() - startedMs) / 1000),
  ...rest,
  acknowledged: promises.counts,
  unanswered: promises.unanswered,
  startCpuSeconds: { first: startCpuSeconds[0], median: sorted[sorted.length >> 1], most: sorted.at(-1) },
  faults,
};
const told = {
  ...figures,
  faults: [
    ...faults.slice(0, mostFaultsTold),
    ...(faults.length > mostFaultsTold ? [`and ${faults.length - mostFaultsTold} more`] : []),
  ],
};
process.stdout.write(`${JSON.stringify(told, undefined, 2)}\n`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures)}\n`);
process.exit(faults.length === 0 ? 0 : 1);
