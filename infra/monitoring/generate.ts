import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readTelemetrySettings } from "../../otel/telemetry-settings.ts";
import { alertmanagerFiles } from "./alerting/alertmanager-files.ts";
import { grafanaAlertingFiles } from "./alerting/grafana-alerting.ts";
import { readReceivers } from "./alerting/receiver-settings.ts";
import { writeReceivers } from "./alerting/write-receivers.ts";
import { allDashboards } from "./dashboards/all-dashboards.ts";
import { envExample } from "./generate-env-example.ts";
import { metricsDocument } from "./generate-metrics-doc.ts";
import { queriesFor } from "./queries.ts";
import { ruleFiles } from "./rules/rule-files.ts";
import { ruleTestFiles } from "./rules/rule-tests.ts";

const root = join(import.meta.dirname, "..", "..");

const prometheusFolder = "infra/monitoring/prometheus";
const within = (folder: string, files: ReadonlyMap<string, string>): [string, string][] =>
  [...files].map(([name, text]) => [`${folder}/${name}`, text]);
/** Committed is what the empty environment gives: nobody is told of alerts. */
const nobody = readReceivers({}).receivers;

const measured = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8"));

/**
 * Every generated file of the repository, by its path, with the text that it must have.
 * @param env of the service: dashboards and rules ask for its names
 * @throws Error naming every fault of its PROMETHEUS__* variables
 */
export function generatedFiles(env: NodeJS.ProcessEnv = {}): ReadonlyMap<string, string> {
  const { settings, faults } = readTelemetrySettings(env);
  if (faults.length > 0) throw new Error(faults.join("\n"));
  const dashboards = [...allDashboards(queriesFor(settings))].map(
    ([uid, dashboard]) =>
      [`infra/monitoring/grafana/dashboards/${uid}.json`, `${JSON.stringify(dashboard, null, 2)}\n`] as const,
  );
  return new Map([
    ...dashboards,
    ...within(`${prometheusFolder}/rules`, ruleFiles({ prefix: settings.prefix, timeScale: 1 })),
    ...within(`${prometheusFolder}/tests`, ruleTestFiles()),
    ["docs/metrics.md", metricsDocument(measured("series-budget.json"), measured("official-http.json"))],
    ...within("infra/monitoring/alertmanager", alertmanagerFiles(nobody)),
    ...within("infra/monitoring/grafana/alerting", grafanaAlertingFiles(nobody, settings.prefix)),
    [".env.example", envExample()],
  ]);
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
