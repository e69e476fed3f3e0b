import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { generatedFiles } from "../../../infra/monitoring/generate/generate.ts";
import { objectiveKeys } from "../../../infra/monitoring/objectives.ts";
import { knownSeries } from "../../../infra/monitoring/queries/known-series.ts";
import { lintPromql } from "../../../infra/monitoring/queries/lint-promql.ts";
import { durationSeconds } from "../../../infra/monitoring/queries/promql-tree.ts";
import { recordedSeries } from "../../../infra/monitoring/queries/recorded-series.ts";
import { runbookBase, runbooksNowhere, settlingSeconds } from "../../../infra/monitoring/rules/alert.ts";
import { causesOf, knownCauseSeries } from "../../../infra/monitoring/rules/known-causes.ts";
import { ruleFiles } from "../../../infra/monitoring/rules/rule-files.ts";
import { backendJob, durationText } from "../../../infra/monitoring/rules/rule-scope.ts";
import { ruleTestFiles, ruleTests } from "../../../infra/monitoring/rules/rule-tests.ts";
import { defaultPrefix } from "../../../otel/api/catalogue/metric-names.ts";

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly interval?: string; readonly rules: readonly Rule[] }[];
}

const root = join(import.meta.dirname, "../../..");
const folder = join(root, "infra/monitoring/prometheus");
const committed = readdirSync(join(folder, "rules")).map(
  (name) => parse(readFileSync(join(folder, "rules", name), "utf8")) as RuleFile,
);
const rulesOf = (files: readonly RuleFile[]): Rule[] =>
  files.flatMap(({ groups }) => groups.flatMap(({ rules }) => rules));

const rules = rulesOf(committed);
const alerts = rules.filter((rule) => rule.alert !== undefined);
const names = [...new Set(alerts.map((rule) => rule.alert ?? ""))];
const testGroups = [...ruleTests().values()].flatMap(({ tests }) => tests);

/** Alerts whose description has no current value, and why. */
const withoutValue: Readonly<Record<string, string>> = {
  Watchdog: "it says that all is well",
  BackendTargetMissing: "there is nothing of which there could be a number",
};

describe("each alert", () => {
  test.each(names)("%s has a test in which it fires, and one in which it doesn't", (name) => {
    const groups = testGroups.map(({ alert_rule_test = [] }) =>
      alert_rule_test.filter(({ alertname }) => alertname === name),
    );
    const own = groups.filter((checks) => checks.length > 0);
    expect(own.some((checks) => checks.some(({ exp_alerts = [] }) => exp_alerts.length > 0))).toBe(true);
    // Always on is what Watchdog is for.
    const isQuiet = own.some((checks) => checks.every(({ exp_alerts = [] }) => exp_alerts.length === 0));
    expect(isQuiet).toBe(name !== "Watchdog");
  });

  test("of a test exists", () => {
    const tested = testGroups.flatMap(({ alert_rule_test = [] }) => alert_rule_test.map(({ alertname }) => alertname));
    expect([...new Set(tested)].filter((name) => !names.includes(name))).toEqual([]);
  });

  test.each(alerts.map((rule) => [rule.alert ?? "", rule] as const))("%s says what its reader needs", (name, rule) => {
    expect(rule.labels?.severity).toMatch(/^(critical|warning|ticket|none)$/);
    if (rule.labels?.objective !== undefined) expect(objectiveKeys).toContain(rule.labels.objective);
    const { summary, description, runbook, runbook_url, dashboard_url, ...others } = rule.annotations ?? {};
    expect(others).toEqual({});
    expect(summary).toMatch(/^[A-Z][^{}]*\.$/);
    expect(description).toMatch(/^[A-Z{].*\.$/);
    if (!(name in withoutValue)) expect(description).toContain("$value");
    expect(runbook_url).toBe(`${runbookBase()}/${name}.md`);
    expect(runbook).toBe(`docs/runbooks/${name}.md`);
    expect(existsSync(join(root, runbook ?? ""))).toBe(true);
    expect(dashboard_url).toMatch(/^\/d\/mlops-backend-(overview|http|datasets|training|runtime|telemetry)$/);
  });
});

test("each alert but the one that never ends goes on for a while, so that what comes and goes is one alert", () => {
  const seconds = (text = "0s"): number => durationSeconds(text) ?? 0;
  const short = alerts.filter(({ keep_firing_for }) => seconds(keep_firing_for) < settlingSeconds);
  expect([...new Set(short.map(({ alert }) => alert))]).toEqual(["Watchdog"]);
});

describe("what is told in the place of another", () => {
  const ofName = (name: string) => alerts.filter(({ alert }) => alert === name);
  const held = ({ for: hold = "0s" }: Rule): number => durationSeconds(hold) ?? 0;
  /** The first to be told, of one name; of a disk the one that breaks things. */
  const first = (name: string): number =>
    Math.min(
      ...ofName(name)
        .filter(({ labels }) => labels?.reason === undefined || labels.reason === "full")
        .map(held),
    );

  test.each(Object.entries(causesOf))("%s is told a minute later than any of %j", (effect, causes) => {
    // A scrape, a round of the rules, and the age that a reading of the state may have: 35 s.
    const isSlow = effect === "TrainingStartBudgetBurn"; // ten bad minutes come first
    for (const cause of causes) {
      expect(ofName(cause).length, cause).toBeGreaterThan(0);
      expect(first(effect) - first(cause), cause).toBeGreaterThanOrEqual(isSlow ? 0 : 60);
    }
  });

  test.each(Object.keys(causesOf))("each rule of %s asks for it", (effect) => {
    for (const { expr } of ofName(effect)) expect(expr).toContain(`${knownCauseSeries}{effect="${effect}"`);
  });
});

test.each(rules.map(({ alert, record, labels, expr }) => [alert ?? record, labels, expr] as const))(
  "the lint finds no fault in %s %j",
  (_name, _labels, expr) => {
    expect(lintPromql(expr, knownSeries(defaultPrefix))).toEqual([]);
  },
);

test("each objective is recorded under the same names, which the lint knows", () => {
  const recordsOf = (objective: string) =>
    rules
      .filter((rule) => rule.record !== undefined && rule.labels?.objective === objective)
      .map((rule) => rule.record);
  for (const objective of objectiveKeys)
    expect(recordsOf(objective).toSorted()).toEqual(Object.keys(recordedSeries).toSorted());
});

describe("the generator", () => {
  const parsed = (prefix: string, timeScale: number): RuleFile[] =>
    [...ruleFiles({ prefix, timeScale }).values()].map((text) => parse(text) as RuleFile);

  test("takes another prefix everywhere", () => {
    const other = rulesOf(parsed("acme_ml", 1)).map(({ expr }) => expr);
    expect(other.join("\n")).toContain("acme_ml_http_requests_total");
    expect(other.filter((expr) => expr.includes("mlops_backend"))).toEqual([]);
  });

  test("shortens every time, and no name, share or count", () => {
    const [long, short] = [parsed("mlops_backend", 1), parsed("mlops_backend", 1 / 60)];
    const times = (files: readonly RuleFile[]): string[] => [
      ...files.flatMap(({ groups }) => groups.flatMap(({ interval }) => interval ?? [])),
      ...rulesOf(files).flatMap(({ for: hold, expr }) => [hold ?? [], expr.match(/\[[^\]]*\]/g) ?? []].flat()),
    ];
    expect(times(long).length).toBeGreaterThan(100);
    const seconds = (text: string): number[] =>
      [...text.matchAll(/((?:\d+(?:ms|[smhd]))+)/g)].map(([each]) =>
        [...each.matchAll(/(\d+)(ms|[smhd])/g)].reduce(
          (sum, [, count, unit]) => sum + Number(count) * { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 }[unit as "s"]!,
          0,
        ),
      );
    const ratios = times(long).flatMap((text, index) => {
      const shorter = seconds(times(short)[index] ?? "");
      return seconds(text).map((each, at) => each / (shorter[at] ?? 0));
    });
    expect(ratios.filter((ratio) => Math.abs(ratio - 60) > 0.01)).toEqual([]);
    const named = (files: readonly RuleFile[]) =>
      rulesOf(files).map(({ alert, record, labels }) => [alert, record, labels]);
    expect(named(short)).toEqual(named(long));
  });

  test.each([
    [5, "5s"],
    [315 / 60, "5s250ms"],
    [86_400 * 3, "3d"],
    [5_400, "1h30m"],
    [0.0001, "1ms"],
  ])("writes %d s as %s", (given, text) => expect(durationText(given)).toBe(text));

  test.each([
    ["https://example.org/team/mlops", "https://example.org/team/mlops/blob/main/docs/runbooks"],
    [{ type: "git", url: "git+https://example.org/a/b.git" }, "https://example.org/a/b/blob/main/docs/runbooks"],
    [undefined, runbooksNowhere],
    ["a/b", runbooksNowhere],
  ])("links runbooks of the repository %j", (repository, base) => expect(runbookBase("", repository)).toBe(base));

  test("links runbooks at the address that is set, whatever the repository, in rules, their tests and Grafana's", () => {
    expect(runbookBase("https://wiki.example.org/runbooks/", "https://example.org/a/b")).toBe(
      "https://wiki.example.org/runbooks",
    );
    const set = [...generatedFiles({ RUNBOOK_BASE_URL: "https://wiki.example.org/runbooks/" })];
    const linking = set.filter(([, text]) => text.includes("https://wiki.example.org/runbooks/BackendTargetDown.md"));
    expect(linking.map(([path]) => path)).toEqual([
      "infra/monitoring/prometheus/rules/targets.yml",
      "infra/helm/mlops-backend/rules/targets.yml",
      "infra/monitoring/grafana/alerting/rules.yml",
    ]);
    expect(set.filter(([, text]) => text.includes(runbooksNowhere))).toEqual([]);
    expect(ruleTestFiles("/rules", "https://wiki.example.org/runbooks").get("targets.yml")).toContain(
      "https://wiki.example.org/runbooks/BackendTargetDown.md",
    );
    expect(() => generatedFiles({ RUNBOOK_BASE_URL: "wiki" })).toThrow("RUNBOOK_BASE_URL must be");
  });

  test("looks at the job that Prometheus scrapes", () => {
    const configuration = parse(readFileSync(join(folder, "prometheus.yml"), "utf8"));
    expect(configuration.scrape_configs.map((each: { job_name: string }) => each.job_name)).toContain(backendJob);
  });
});
