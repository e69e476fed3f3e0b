import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { defaultPrefix } from "../../otel/catalogue.ts";
import { alertmanagerFiles } from "./alerting/alertmanager-files.ts";
import { readReceivers } from "./alerting/receiver-settings.ts";
import { writeReceivers } from "./alerting/write-receivers.ts";
import { envExample } from "./generate-env-example.ts";
import { metricsDocument } from "./generate-metrics-doc.ts";
import { overviewDashboard, overviewUid } from "./overview-dashboard.ts";
import { ruleFiles } from "./rules/rule-files.ts";
import { ruleTestFiles } from "./rules/rule-tests.ts";

const root = join(import.meta.dirname, "..", "..");

const prometheusFolder = "infra/monitoring/prometheus";
const within = (folder: string, files: ReadonlyMap<string, string>): [string, string][] =>
  [...files].map(([name, text]) => [`${folder}/${name}`, text]);
/** Committed is what the empty environment gives: nobody is told of alerts. */
const nobody = readReceivers({}).receivers;

const measured = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8"));

/** Every generated file of the repository, by its path, with the text that it must have. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    [`infra/monitoring/grafana/dashboards/${overviewUid}.json`, `${JSON.stringify(overviewDashboard(), null, 2)}\n`],
    ...within(`${prometheusFolder}/rules`, ruleFiles({ prefix: defaultPrefix, timeScale: 1 })),
    ...within(`${prometheusFolder}/tests`, ruleTestFiles()),
    ["docs/metrics.md", metricsDocument(measured("series-budget.json"), measured("official-http.json"))],
    ...within("infra/monitoring/alertmanager", alertmanagerFiles(nobody)),
    [".env.example", envExample()],
  ]);
}

if (import.meta.main) {
  for (const [path, content] of generatedFiles()) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    process.stdout.write(`${path}\n`);
  }
  writeReceivers();
}
