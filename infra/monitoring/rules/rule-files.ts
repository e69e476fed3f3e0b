import { stringify } from "yaml";
import { objectiveKeys } from "../objectives.ts";
import { type AlertFamily, type AlertRule, ruleAnnotations, ruleLabels } from "./alert.ts";
import { burnRateAlerts } from "./burn-rate-alerts.ts";
import { datasetAlerts } from "./dataset-alerts.ts";
import { knownCauseFile, knownCauseRules } from "./known-causes.ts";
import { monitoringAlerts } from "./monitoring-alerts.ts";
import { objectiveFile, objectiveGroups, type RecordingRule } from "./objective-rules.ts";
import { processAlerts } from "./process-alerts.ts";
import { type RuleOptions, type RuleScope, ruleScope } from "./rule-scope.ts";
import { storageAlerts } from "./storage-alerts.ts";
import { targetAlerts } from "./target-alerts.ts";
import { telemetryAlerts } from "./telemetry-alerts.ts";
import { trainingAlerts } from "./training-alerts.ts";
import { ttlAlerts } from "./ttl-alerts.ts";

/** Every alert, with the cases that prove it. */
export const alertFamilies: readonly AlertFamily[] = [
  ...burnRateAlerts,
  ...datasetAlerts,
  ...ttlAlerts,
  ...storageAlerts,
  ...trainingAlerts,
  ...processAlerts,
  ...targetAlerts,
  ...telemetryAlerts,
  ...monitoringAlerts,
];

/** A rule group as Prometheus reads it. */
export interface RuleGroup {
  readonly name: string;
  readonly interval?: string;
  readonly rules: readonly (RecordingRule | Readonly<Record<string, unknown>>)[];
}

const header = "# Generated from infra/monitoring by npm run monitoring:generate. Do not edit.\n";

/** What all generated YAML looks like: long lines stay whole, expressions of several lines stay readable. */
export const yamlText = (content: unknown): string => header + stringify(content, { lineWidth: 0 });

function alertingRule(rule: AlertRule, scope: RuleScope, runbooks: string | undefined): Record<string, unknown> {
  return {
    alert: rule.name,
    expr: rule.expr,
    ...(rule.forSeconds > 0 ? { for: scope.duration(rule.forSeconds) } : {}),
    ...(rule.keepFiringForSeconds > 0 ? { keep_firing_for: scope.duration(rule.keepFiringForSeconds) } : {}),
    labels: ruleLabels(rule),
    annotations: ruleAnnotations(rule, runbooks),
  };
}

/** All rule groups by the file that they stand in, in the order in which tests evaluate them. */
export function ruleGroups(options: RuleOptions): ReadonlyMap<string, readonly RuleGroup[]> {
  const scope = ruleScope(options);
  const groups = new Map<string, readonly RuleGroup[]>(
    objectiveKeys.map((key) => [objectiveFile(key), objectiveGroups(key, scope)]),
  );
  groups.set(knownCauseFile, [{ name: knownCauseFile, rules: knownCauseRules(scope) }]);
  for (const { file } of alertFamilies) {
    const families = alertFamilies.filter((family) => family.file === file);
    const rules = families.flatMap((family) =>
      family.rules(scope).map((rule) => alertingRule(rule, scope, options.runbooks)),
    );
    groups.set(file, [{ name: file, rules }]);
  }
  return groups;
}

/** All rule files by name (`storage.yml`), as Prometheus reads them. What `timeScale` scales: see `RuleOptions`. */
export function ruleFiles(options: RuleOptions): ReadonlyMap<string, string> {
  return new Map([...ruleGroups(options)].map(([file, groups]) => [`${file}.yml`, yamlText({ groups })]));
}
