import { defaultPrefix } from "../../../otel/api/catalogue/metric-names.ts";
import { budgetDays, objectiveKeys, objectives } from "../objectives.ts";
import { alertFamilies } from "../rules/rule-files.ts";
import { ruleScope } from "../rules/rule-scope.ts";
import { tableRow as row, withGeneratedPart } from "./generated-part.ts";

const percent = (share: number): string => `${Number((share * 100).toFixed(4))} %`;

function objectiveTable(): string[] {
  return [
    row(`objective over ${budgetDays} days`, "target", "what counts as good"),
    "|---|--:|---|",
    ...objectiveKeys.map((key) => {
      const { title, target, description } = objectives[key];
      return row(title, percent(target), description);
    }),
  ];
}

/** Each alert once, with every severity that it has, the most urgent first, and what that one says. */
function alertTable(): string[] {
  const scope = ruleScope({ prefix: defaultPrefix, timeScale: 1 });
  const names = [...new Set(alertFamilies.map(({ name }) => name))].toSorted();
  return [
    row("alert", "severity", "says"),
    "|---|---|---|",
    ...names.map((name) => {
      const rules = alertFamilies.filter((family) => family.name === name).flatMap((family) => family.rules(scope));
      const bySeverity = (["critical", "warning", "ticket", "none"] as const).flatMap((severity) =>
        rules.filter((rule) => rule.severity === severity),
      );
      const severities = new Set(bySeverity.map(({ severity }) => severity));
      return row(`[${name}](runbooks/${name}.md)`, [...severities].join(", "), bySeverity[0]?.summary ?? "");
    }),
  ];
}

/** Where they are listed. */
export const alertListPath = "docs/monitoring.md";

/** The page with its tables of objectives and alerts made anew. */
export const withAlertList = (page: string): string =>
  withGeneratedPart(alertListPath, page, [...objectiveTable(), "", ...alertTable()]);
