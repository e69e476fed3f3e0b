import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { resourceAttributes } from "../../../otel/settings/resource.ts";
import { readTelemetrySettings } from "../../../otel/settings/telemetry-settings.ts";
import { chartFiles } from "../../helm/chart-files.ts";
import { alertmanagerFiles } from "../alerting/alertmanager-files.ts";
import { grafanaAlertingFiles } from "../alerting/grafana-alerting.ts";
import { readReceivers } from "../alerting/receiver-settings.ts";
import { writeReceivers } from "../alerting/write-receivers.ts";
import { allDashboards } from "../dashboards/all-dashboards.ts";
import { histogramNames, nativeQuery, withExpressions } from "../native-histograms.ts";
import { queriesFor } from "../queries/queries.ts";
import { remoteWriteExample } from "../remote-write.ts";
import { ruleFiles, ruleGroups, yamlText } from "../rules/rule-files.ts";
import { alertListPath, withAlertList } from "./generate-alert-list.ts";
import { envExample } from "./generate-env-example.ts";
import { metricsDocument } from "./generate-metrics-doc.ts";
import { telemetryDocument } from "./generate-telemetry-doc.ts";
import { withGeneratedPart } from "./generated-part.ts";
import { sampleCostTable } from "./sample-costs.ts";

const root = join(import.meta.dirname, "../../..");

const prometheusFolder = "infra/monitoring/prometheus";
const within = (folder: string, files: ReadonlyMap<string, string>): [string, string][] =>
  [...files].map(([name, text]) => [`${folder}/${name}`, text]);

const measured = (name: string) => JSON.parse(readFileSync(join(root, "infra/monitoring", name), "utf8"));

/**
 * Every generated file of the repository, by its path, with the text that it must have.
 * @param env of the service: dashboards and rules ask for its names, and alerts link its runbooks
 * @throws Error naming every fault of its PROMETHEUS__* variables and of RUNBOOK_BASE_URL
 */
export function generatedFiles(env: NodeJS.ProcessEnv = {}): ReadonlyMap<string, string> {
  const { settings, faults: telemetryFaults } = readTelemetrySettings(env);
  // Who is told stays out of the repository.
  const { receivers: nobody, faults: linkFaults } = readReceivers({ RUNBOOK_BASE_URL: env.RUNBOOK_BASE_URL });
  const { runbooks } = nobody;
  const faults = [...telemetryFaults, ...linkFaults];
  if (faults.length > 0) throw new Error(faults.join("\n"));
  const { "service.name": service = "" } = resourceAttributes(env, "");
  const dashboards = allDashboards(queriesFor(settings), service);
  const ruleOptions = { prefix: settings.prefix, timeScale: 1, runbooks };
  const rules = ruleFiles(ruleOptions);
  const budget = measured("series-budget.json");
  const files = new Map([
    ...[...dashboards].map(
      ([uid, dashboard]) =>
        [`infra/monitoring/grafana/dashboards/${uid}.json`, `${JSON.stringify(dashboard, null, 2)}\n`] as const,
    ),
    ...within(`${prometheusFolder}/rules`, rules),
    ...chartFiles({ dashboards, rules }),
    ["docs/metrics.md", metricsDocument(budget, measured("official-http.json"))],
    [
      "docs/operations.md",
      withGeneratedPart(
        "docs/operations.md",
        readFileSync(join(root, "docs/operations.md"), "utf8"),
        sampleCostTable(budget, [...ruleGroups(ruleOptions).values()].flat()),
      ),
    ],
    [`${prometheusFolder}/remote-write.example.yml`, remoteWriteExample(settings.prefix)],
    ...within("infra/monitoring/alertmanager", alertmanagerFiles(nobody)),
    ...within("infra/monitoring/grafana/alerting", grafanaAlertingFiles(nobody, settings.prefix)),
    [".env.example", envExample()],
    [alertListPath, withAlertList(readFileSync(join(root, alertListPath), "utf8"))],
    ["docs/telemetry.md", telemetryDocument(readFileSync(join(root, "docs/telemetry.md"), "utf8"))],
  ]);
  return env[nativeSwitch] === "true"
    ? new Map([...files].map((file) => forNativeHistograms(file, settings.prefix)))
    : files;
}

/** `true`: dashboards and rules ask for native histograms; see docs/prometheus_integration_guide.md. */
const nativeSwitch = "MONITORING_NATIVE_HISTOGRAMS";

function forNativeHistograms([path, text]: readonly [string, string], prefix: string): [string, string] {
  const histograms = histogramNames(prefix);
  const change = (expression: string): string => nativeQuery(expression, histograms);
  if (/\/dashboards\/.*\.json$/.test(path)) {
    const indent = path.includes("/grafana/") ? 2 : undefined;
    return [path, `${JSON.stringify(withExpressions(JSON.parse(text), change), null, indent)}\n`];
  }
  if (/\/(rules|grafana\/alerting)\/.*\.yml$/.test(path)) return [path, yamlText(withExpressions(parse(text), change))];
  return [path, text];
}

if (import.meta.main) {
  for (const [path, content] of generatedFiles(process.env)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    process.stdout.write(`${path}\n`);
  }
  writeReceivers();
}
