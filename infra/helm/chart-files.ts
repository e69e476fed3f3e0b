import { readFileSync } from "node:fs";
import { join } from "node:path";
import { alertmanagerConfig } from "../monitoring/alerting/alertmanager-config.ts";
import { readReceivers } from "../monitoring/alerting/receiver-settings.ts";
import { yamlText } from "../monitoring/rules/rule-files.ts";
import { chartReadme } from "./chart-readme.ts";
import { valuesSchema } from "./values-schema.ts";

/** A matcher as AlertmanagerConfig has it. */
interface Matcher {
  readonly name: string;
  readonly matchType: string;
  readonly value: string;
}

/** Alertmanager's file, as far as the chart takes it over. */
interface AlertingFile {
  readonly route: Timing & {
    readonly group_by: readonly string[];
    readonly routes: readonly (Timing & { readonly matchers: readonly string[] })[];
  };
  readonly inhibit_rules: readonly {
    readonly source_matchers: readonly string[];
    readonly target_matchers: readonly string[];
    readonly equal: readonly string[];
  }[];
}
interface Timing {
  readonly group_wait: string;
  readonly group_interval: string;
  readonly repeat_interval: string;
}

function matcher(text: string): Matcher {
  const [, name, matchType, value] = /^(\w+)(=~|!~|!=|=)"(.*)"$/.exec(text) ?? [];
  if (name === undefined || matchType === undefined || value === undefined)
    throw new Error(`${text} is no matcher that AlertmanagerConfig could have`);
  return { name, matchType, value };
}

const timing = (route: Timing) => ({
  groupWait: route.group_wait,
  groupInterval: route.group_interval,
  repeatInterval: route.repeat_interval,
});

/** Routes and inhibitions of alertmanager.yml in AlertmanagerConfig's words; who is told, the chart's values say. */
function alertingText(): string {
  const { route, inhibit_rules } = alertmanagerConfig(readReceivers({}).receivers) as unknown as AlertingFile;
  return yamlText({
    route: {
      groupBy: route.group_by,
      ...timing(route),
      routes: route.routes.map((each) => ({ severity: matcher(each.matchers[0] ?? "").value, ...timing(each) })),
    },
    inhibitRules: inhibit_rules.map(({ source_matchers, target_matchers, equal }) => ({
      sourceMatch: source_matchers.map(matcher),
      targetMatch: target_matchers.map(matcher),
      equal,
    })),
  });
}

/** Where the chart is. */
export const chartFolder = "infra/helm/mlops-backend";

/**
 * What the chart ships of rules and dashboards, and what checks its values, by path. Helm reads files of its own folder
 * only, so these are copies; one source makes both.
 */
export function chartFiles({
  dashboards,
  rules,
}: {
  readonly dashboards: ReadonlyMap<string, object>;
  readonly rules: ReadonlyMap<string, string>;
}): [string, string][] {
  return [
    ...[...rules].map(([name, text]): [string, string] => [`${chartFolder}/rules/${name}`, text]),
    // On one line: a release is kept in a Secret of at most 1 MiB.
    ...[...dashboards].map(([uid, dashboard]): [string, string] => [
      `${chartFolder}/dashboards/${uid}.json`,
      `${JSON.stringify(dashboard)}\n`,
    ]),
    [`${chartFolder}/alerting.yml`, alertingText()],
    [
      `${chartFolder}/README.md`,
      chartReadme(readFileSync(join(import.meta.dirname, "mlops-backend", "values.yaml"), "utf8")),
    ],
    [`${chartFolder}/values.schema.json`, `${JSON.stringify(valuesSchema, null, 2)}\n`],
  ];
}
