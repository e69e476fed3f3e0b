import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readReceivers } from "../../infra/monitoring/alerting/receiver-settings.ts";
import { durationSeconds } from "../../infra/monitoring/queries/promql-tree.ts";
import type { TestFile, TestGroup } from "../../infra/monitoring/rules/promtool-tests.ts";
import { ruleTests } from "../../infra/monitoring/rules/rule-tests.ts";
import { root } from "./processes.ts";
import { type Mutant, mutantsOf, type Rule } from "./rule-mutants.ts";

const promtool = process.env.PROMTOOL_BIN ?? "promtool";
const rulesFolder = join(root, "infra/monitoring/prometheus/rules");

interface RuleGroup {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** The committed rules by the name of their file. */
const ruleFiles = new Map(
  readdirSync(rulesFolder).map((name) => [
    name,
    parse(readFileSync(join(rulesFolder, name), "utf8")) as { readonly groups: readonly RuleGroup[] },
  ]),
);
const testFiles = [...ruleTests(readReceivers({}).receivers.runbooks).values()];

interface Held {
  readonly file: TestFile;
  readonly group: TestGroup;
}
/** A committed rule with the tests that hold it, those first that are likely to notice and cheap. */
interface Subject {
  readonly rule: Rule;
  readonly title: string;
  readonly tests: readonly Held[];
}

const nameOf = ({ alert, record }: Rule): string => alert ?? record ?? "";
const isFiring = ({ alert_rule_test = [], promql_expr_test = [] }: TestGroup): boolean =>
  promql_expr_test.length > 0 || alert_rule_test.some(({ exp_alerts = [] }) => exp_alerts.length > 0);
/** Evaluations, about, and what the files of a test cost besides. */
function costOf(file: TestFile, { alert_rule_test = [], promql_expr_test = [] }: TestGroup): number {
  const ends = [...alert_rule_test, ...promql_expr_test].map(({ eval_time }) => durationSeconds(eval_time) ?? 0);
  return 20 + Math.max(...ends) / (durationSeconds(file.evaluation_interval) ?? 60);
}

/** What noticing a break costs: a test in which something fires notices about four times as many as another. */
const priceOf = ({ file, group }: Held): number => costOf(file, group) / (isFiring(group) ? 4 : 1);

const rulesOf = (file: TestFile): readonly RuleGroup[] =>
  file.rule_files.flatMap((path) => ruleFiles.get(path)?.groups ?? []);

/** What of a test group speaks of that rule; undefined if nothing does. */
function aboutRule(rule: Rule, group: TestGroup): TestGroup | undefined {
  const { alert_rule_test = [], promql_expr_test = [] } = group;
  if (rule.alert !== undefined)
    return alert_rule_test.some(({ alertname }) => alertname === rule.alert) ? group : undefined;
  const own = promql_expr_test.filter(({ expr }) => expr.includes(`${rule.record}{`));
  return own.length > 0 ? { ...group, promql_expr_test: own } : undefined;
}

function subjectOf(rule: Rule): Subject {
  const tests = testFiles
    .filter((file) => rulesOf(file).some(({ rules }) => rules.includes(rule)))
    .flatMap((file) =>
      file.tests.flatMap((whole) => {
        const group = aboutRule(rule, whole);
        return group === undefined ? [] : [{ file, group }];
      }),
    )
    .toSorted((first, second) => priceOf(first) - priceOf(second));
  const labels = Object.values(rule.labels ?? {}).join(" ");
  return { rule, tests, title: `${nameOf(rule)} ${labels}` };
}
const subjects = [...ruleFiles.values()].flatMap(({ groups }) =>
  groups.flatMap(({ rules }) => rules.map((rule) => subjectOf(rule))),
);

/** The groups with nothing but the rules of that name and, for each, the recorded series that it reads. */
function neededGroups(file: TestFile, rule: Rule, broken: Rule): RuleGroup[] {
  const all = rulesOf(file).flatMap(({ rules }) => rules);
  const needed = new Set(all.filter((each) => nameOf(each) === nameOf(rule)));
  for (const each of needed) {
    for (const name of each.expr.match(/\b(?:objective|alert):[\w:]+/g) ?? [])
      for (const source of all.filter(({ record }) => record === name)) needed.add(source);
  }
  return rulesOf(file).map(({ name, rules }) => ({
    name,
    rules: rules.filter((each) => needed.has(each)).map((each) => (each === rule ? broken : each)),
  }));
}

/** Breaks that change nothing, by what is left of the rule's name and labels and by what is broken, with the reason. */
const equivalents: readonly (readonly [rule: RegExp, what: RegExp, reason: string])[] = [
  [/^Watchdog/, /^(number|keep_firing_for)/, "it fires whatever its value, and never ends"],
  [/budget_remaining/, /at (?!0:)\d+: 1 → 0\.5$/, "a sum of whole events is 0 or at least 1"],
  [/total:increase5m training_start/, /max → (sum|min)$/, "minutes are counted, whatever the value"],
  [/total:increase5m dataset_ttl/, /count_over_time → sum/, "each minute that counts is a 1"],
  [
    /^(TrainingQueueStalled|DatasetTtlFailing)/,
    /at (?!0:)\d+: (sum → (max|avg)|increase → rate)$/,
    "compared with 0 only, and nothing is negative",
  ],
  [/^TrainingQueueStalled/, /== → <=$/, "nothing is negative"],
  [/dataset_ttl|^BackendUpButBlind/, /== → >=$/, "a gauge that is 0 or 1"],
  [
    /^(StateUnreadable|BackendTargetDown)/,
    /at (?!40:)\d+: == → <=$|^comparison at 34: == → <=$/,
    "a gauge that is 0 or 1",
  ],
  [/^BackendTargetDown critical all/, /at 40: == → >=$/, "no more can be down than there are"],
  [
    /^(StateUnreadable|Backend)/,
    /\* → \/$|group → count$|at (45|71|111): \(job\) → \(\)$/,
    "one series of each process, all of one job",
  ],
  [/^BackendUpButBlind/, /(group|count) → sum$/, "those that are up are 1"],
  [/^BackendUpButBlind/, /at (49|191): \(job, instance\) → \(instance\)$/, "both sides name the job"],
  [
    /^TrainingWorkersMissing/,
    /at 0: count → sum$|at 64: count → (sum|group)$/,
    "of the first each is a 1, of the second it only matters whether it is there",
  ],
  [/^PrometheusStorageNearlyFull/, /0 → 1$/, "no limit is a single byte"],
  [/^StorageNearlyFull warning prediction/, /at 258: 0 → -1$/, "no prediction ends between the last byte and none"],
  [
    /^\w+BudgetBurn|^DatasetUploadsFailing critical/,
    /labels at (20[12378]|21[3478]|342|[3-9]\d\d): \(job\) → \(job, instance\)$/,
    "neither of what is explained nor of what explains it an instance is left",
  ],
  [
    /^alert:known_cause:group/,
    /labels at (30[134]|309|31[379]|323|347): \(job\) → \(job, instance\)$/,
    "neither of what is explained nor of what explains it an instance is left",
  ],
  [
    /^alert:known_cause:group DatasetUploadsFailing/,
    /: (sum → (max|avg)|increase → rate)$|at 317: \(job\) → \(job, instance\)$|at 304: \(job\) → \(\)$/,
    "compared with 0 only, nothing is negative, and all of one job",
  ],
  [/^TrainingQueueBacklog/, /at 98: max → sum$/, "a slope, compared with 0 only, and the same on each replica"],
];
const isEquivalent = ({ title }: Subject, { what }: Mutant): boolean =>
  equivalents.some(([ofRule, ofWhat]) => ofRule.test(title) && ofWhat.test(what));

interface Trial {
  readonly subject: Subject;
  readonly mutant: Mutant;
  /** Which of the subject's tests is next. */
  next: number;
}

const folder = mkdtempSync(join(tmpdir(), "mlops-backend-mutants-"));

/** Writes a trial as files of its own, JSON being YAML, and gives the path of the test. */
function write({ subject, mutant, next }: Trial, path: string): string {
  const { file, group } = subject.tests[next]!;
  const groups = neededGroups(file, subject.rule, mutant.rule).filter(({ rules }) => rules.length > 0);
  writeFileSync(`${path}.rules.json`, JSON.stringify({ groups }));
  const own = {
    rule_files: [`${path}.rules.json`],
    evaluation_interval: file.evaluation_interval,
    group_eval_order: groups.map(({ name }) => name),
    tests: [group],
  };
  writeFileSync(`${path}.test.json`, JSON.stringify(own));
  return `${path}.test.json`;
}

/**
 * Runs promtool over these files, and gives those whose tests passed.
 * @throws Error if it did not come to the last of them: what was not run is not noticed, either
 */
function passing(paths: readonly string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    // Its heap is small: collecting it four times less often saves a quarter of the time.
    const env = { ...process.env, GOGC: "400" };
    execFile(promtool, ["test", "rules", ...paths], { env, maxBuffer: 2 ** 28 }, (error, stdout) => {
      const begun = stdout.match(/^Processing test file: /gm)?.length ?? 0;
      // Faults go to stderr; a file without SUCCESS after its name has failed. 1 is the status of failed tests.
      if (begun < paths.length || (error !== null && error.code !== 1)) return reject(error ?? new Error(stdout));
      const found = [...stdout.matchAll(/^Processing test file: (.+)\n {2}SUCCESS$/gm)];
      resolve(found.map((match) => match[1] ?? ""));
    });
  });
}

/** Each trial's next test, many in one process, as many processes as cores. @returns the trials that passed it */
async function run(trials: readonly Trial[], round: string): Promise<Trial[]> {
  const into = join(folder, round);
  mkdirSync(into);
  const byPath = new Map(trials.map((trial, index) => [write(trial, join(into, String(index))), trial]));
  const paths = [...byPath.keys()];
  const count = 2 * Math.ceil(paths.length / 80);
  const batches = Array.from({ length: count }, (_, index) => paths.filter((_path, at) => at % count === index));
  const passed: string[] = [];
  const work = async (): Promise<void> => {
    for (let batch = batches.pop(); batch !== undefined; batch = batches.pop())
      if (batch.length > 0) passed.push(...(await passing(batch)));
  };
  await Promise.all([work(), work()]);
  return passed.flatMap((path) => byPath.get(path) ?? []);
}

const survivors: Trial[] = [];
let unbroken: string[] = [];

// A quarter of an hour of two cores, so only where somebody asks for it: CHECK_RULE_MUTANTS=true in .ci/run.
describe.runIf(process.env.CHECK_RULE_MUTANTS === "true")("each break of a rule is noticed by its tests", () => {
  beforeAll(async () => {
    const intact = subjects.map((subject) => ({
      subject,
      mutant: { what: "nothing", rule: subject.rule },
      next: subject.tests.findIndex(({ group }) => isFiring(group)),
    }));
    const sound = new Set(await run(intact, "intact"));
    unbroken = intact.filter((trial) => !sound.has(trial)).map(({ subject }) => subject.title);

    let trials: Trial[] = subjects.flatMap((subject) =>
      mutantsOf(subject.rule).map((mutant) => ({ subject, mutant, next: 0 })),
    );
    for (let round = 0; trials.length > 0; round += 1) {
      const alive = await run(trials, String(round));
      for (const trial of alive) trial.next += 1;
      survivors.push(...alive.filter(({ subject, next }) => next >= subject.tests.length));
      trials = alive.filter(({ subject, next }) => next < subject.tests.length);
    }
  }, 1_800_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("nothing broken, the tests that expect something pass", () => {
    expect(unbroken).toEqual([]);
  });

  test("what is broken is still a rule, so that it is the tests that notice", () => {
    const paths = readdirSync(join(folder, "0")).filter((name) => name.endsWith(".rules.json"));
    expect(paths.length).toBeGreaterThan(1_000);
    const { status, stderr } = spawnSync(promtool, ["check", "rules", "--lint=none", ...paths], {
      cwd: join(folder, "0"),
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  test.each(subjects)("$title: each break is noticed", (subject) => {
    expect(mutantsOf(subject.rule).length).toBeGreaterThan(1);
    const left = survivors.filter((trial) => trial.subject === subject).map(({ mutant }) => mutant);
    expect(left.filter((mutant) => !isEquivalent(subject, mutant)).map(({ what }) => what)).toEqual([]);
    // The list holds nothing that a test tells apart.
    const listed = mutantsOf(subject.rule).filter((mutant) => isEquivalent(subject, mutant));
    const unnoticed = new Set(left.map(({ what }) => what));
    expect(listed.map(({ what }) => what).filter((what) => !unnoticed.has(what))).toEqual([]);
  });
});
