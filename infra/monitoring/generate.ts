import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { envExample } from "./generate-env-example.ts";
import { metricsDocument } from "./generate-metrics-doc.ts";
import { overviewDashboard, overviewUid } from "./overview-dashboard.ts";

const root = join(import.meta.dirname, "..", "..");

const measured = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8"));

/** Every generated file of the repository, by its path, with the text that it must have. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    [`infra/monitoring/grafana/dashboards/${overviewUid}.json`, `${JSON.stringify(overviewDashboard(), null, 2)}\n`],
    ["docs/metrics.md", metricsDocument(measured("series-budget.json"), measured("official-http.json"))],
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
}
