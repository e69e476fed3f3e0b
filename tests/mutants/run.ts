import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { equivalent } from "./equivalent.ts";

interface Group {
  /** What is changed. */
  readonly mutate: readonly string[];
  /** What is to notice. */
  readonly tests: readonly string[];
}

/** What of the code is rules without input and output, and who holds it. */
const groups: Readonly<Record<string, Group>> = {
  policies: { mutate: ["src/datasets/**/*-policy.ts"], tests: ["tests/unit/datasets/*-policy.test.ts"] },
  "run-lifecycle": {
    mutate: ["src/training/run-lifecycle.ts"],
    tests: ["tests/unit/training/run-lifecycle.test.ts"],
  },
  catalogue: { mutate: ["otel/api/catalogue/*.ts"], tests: ["tests/unit/otel/catalogue*.test.ts"] },
  exposition: {
    mutate: ["otel/exposition/*.ts"],
    tests: ["choose-format", "exemplars", "exposition", "exposition-fuzz", "official-serializer", "scrape"].map(
      (name) => `tests/unit/otel/${name}.test.ts`,
    ),
  },
  models: { mutate: ["src/models/*.ts"], tests: ["tests/unit/models/*.test.ts"] },
};

/** Of each group. */
const leastKilledShare = 0.85;

interface Place {
  readonly line: number;
  readonly column: number;
}

/** Of the report, what is read here (mutation-testing-report-schema 3). */
interface Report {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly source: string;
        readonly mutants: readonly {
          readonly status: string;
          readonly replacement?: string;
          readonly location: { readonly start: Place; readonly end: Place };
        }[];
      }
    >
  >;
}

const root = join(import.meta.dirname, "../..");
const own = "tests/mutants";

function run(command: string, parameters: readonly string[], env: Record<string, string> = {}): void {
  const { status } = spawnSync(command, parameters, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(`${command} ${parameters.join(" ")}: ended with ${status}`);
}

/** Prints what survived of a group, and gives the share that was killed of those that differ from the code. */
function readResult(name: string): number {
  const { files } = JSON.parse(readFileSync(join(root, ".cache/mutants.json"), "utf8")) as Report;
  let killed = 0;
  let excused = 0;
  const survivors: string[] = [];
  for (const [file, { source, mutants }] of Object.entries(files)) {
    const lines = source.split("\n");
    for (const { status, replacement = "", location } of mutants) {
      const { start, end } = location;
      const line = (lines[start.line - 1] ?? "").trim();
      if (status === "Killed" || status === "Timeout") killed += 1;
      else if (equivalent.some((each) => each.file === file && each.line === line && each.replacement === replacement))
        excused += 1;
      else if (status === "Survived" || status === "NoCoverage") {
        const was = start.line === end.line ? lines[start.line - 1]?.slice(start.column - 1, end.column - 1) : line;
        survivors.push(`${file}:${start.line} ${status}: ${was} -> ${replacement.replaceAll(/\s+/g, " ")}`);
      }
    }
  }
  const share = killed / (killed + survivors.length);
  for (const survivor of survivors) console.log(survivor);
  console.log(`${name}: ${killed} killed, ${survivors.length} survived, ${excused} the same as the code`);
  return share;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in groups));
if (unknown.length > 0) throw new Error(`No group ${unknown.join(", ")}; there are ${Object.keys(groups).join(", ")}.`);
run("npm", ["ci", "--prefix", own, "--no-audit", "--no-fund"]);
const shares: [string, number][] = [];
for (const [name, { mutate, tests }] of Object.entries(groups)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const parameters = ["run", join(own, "stryker.config.json"), "--mutate", mutate.join(",")];
  run(join(own, "node_modules/.bin/stryker"), parameters, { MUTANT_TESTS: tests.join(" ") });
  shares.push([name, readResult(name)]);
}
for (const [name, share] of shares) console.log(`${name}: ${(share * 100).toFixed(1)} % killed`);
process.exitCode = shares.every(([, share]) => share >= leastKilledShare) ? 0 : 1;
