import { join } from "node:path";
import { stringify } from "yaml";
import { defaultPrefix } from "../../../otel/api/catalogue/metric-names.ts";
import { objectiveKeys } from "../objectives.ts";
import { type AlertCase, type AlertFamily, ruleAnnotations, ruleLabels } from "./alert.ts";
import { knownCauseTests } from "./known-cause-tests.ts";
import { knownCauseFile } from "./known-causes.ts";
import { objectiveFile } from "./objective-rules.ts";
import { objectiveStepSeconds, objectiveTests } from "./objective-tests.ts";
import type { TestFile, TestGroup } from "./promtool-tests.ts";
import { alertFamilies, ruleGroups } from "./rule-files.ts";
import { durationText } from "./rule-scope.ts";

function testGroup(family: AlertFamily, { name, series, checks }: AlertCase, runbooks?: string): TestGroup {
  return {
    name: `${family.name}: ${name}`,
    interval: "1m",
    input_series: series,
    alert_rule_test: checks.map(({ atSeconds, fire }) => ({
      eval_time: atSeconds === 0 ? "0s" : durationText(atSeconds),
      alertname: family.name,
      ...(fire.length === 0
        ? {}
        : {
            exp_alerts: fire.map(({ rule, labels, description }) => ({
              exp_labels: { ...ruleLabels(rule), ...labels },
              exp_annotations: ruleAnnotations(rule, runbooks, description),
            })),
          }),
    })),
  };
}

const testsOf = (family: AlertFamily) => family.tests ?? { file: family.file, reads: [], stepSeconds: 60 };

/** promtool's tests by the name of their file, with the default prefix and in real time; they name rule files without a folder. */
export function ruleTests(runbooks?: string): ReadonlyMap<string, TestFile> {
  const groups = ruleGroups({ prefix: defaultPrefix, timeScale: 1 });
  const orderOf = (files: readonly string[]) =>
    files.flatMap((file) => (groups.get(file) ?? []).map(({ name }) => name));
  const tests = new Map<string, TestFile>(
    objectiveKeys.map((key) => [
      objectiveFile(key),
      {
        rule_files: [`${objectiveFile(key)}.yml`],
        evaluation_interval: durationText(objectiveStepSeconds),
        group_eval_order: orderOf([objectiveFile(key)]),
        tests: objectiveTests(key),
      },
    ]),
  );
  tests.set(knownCauseFile, {
    rule_files: [`${knownCauseFile}.yml`],
    evaluation_interval: "1m",
    group_eval_order: orderOf([knownCauseFile]),
    tests: knownCauseTests,
  });
  for (const family of alertFamilies) {
    const { file, reads, stepSeconds } = testsOf(family);
    const read = [...reads, family.file];
    const cases = family.cases.map((each) => testGroup(family, each, runbooks));
    tests.set(file, {
      rule_files: read.map((each) => `${each}.yml`),
      evaluation_interval: durationText(stepSeconds),
      group_eval_order: orderOf(read),
      tests: [...(tests.get(file)?.tests ?? []), ...cases],
    });
  }
  return tests;
}

/** The same as texts of files, which promtool may find anywhere: the rules are those of this folder. */
export function ruleTestFiles(rulesFolder: string, runbooks?: string): ReadonlyMap<string, string> {
  return new Map(
    [...ruleTests(runbooks)].map(([file, content]) => {
      const rules = content.rule_files.map((name) => join(rulesFolder, name));
      return [`${file}.yml`, stringify({ ...content, rule_files: rules })];
    }),
  );
}
