import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { queriesFor } from "../../infra/monitoring/queries/queries.ts";
import { defaultLatencyBounds } from "../../otel/api/catalogue/metric-definition.ts";
import { defaultPrefix } from "../../otel/api/catalogue/metric-names.ts";

const folder = mkdtempSync(join(tmpdir(), "mlops-backend-counts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const query = queriesFor({ prefix: defaultPrefix, latencyBounds: defaultLatencyBounds });
const accepted = query
  .increase("datasetUploads", [], { outcome: '="accepted"' })
  .replaceAll("$__range", "1h")
  .replaceAll("$job", "backend")
  .replaceAll("$instance", ".+");
const series = (instance: string): string =>
  `mlops_backend_dataset_uploads_total{job="backend",instance="${instance}",outcome="accepted"}`;

/** What promtool says of a panel's number after an hour of scrapes each 15 s; "" where it is as expected. */
function checked(input: Readonly<Record<string, string>>, expr: string, value: number): string {
  const file = join(folder, "counts.json"); // JSON is YAML.
  const test = {
    interval: "15s",
    input_series: Object.entries(input).map(([instance, values]) => ({ series: series(instance), values })),
    promql_expr_test: [{ expr, eval_time: "1h7s", exp_samples: [{ labels: "{}", value }] }],
  };
  writeFileSync(file, JSON.stringify({ rule_files: [], evaluation_interval: "15s", tests: [test] }));
  const { status, stdout, stderr } = spawnSync(process.env.PROMTOOL_BIN ?? "promtool", ["test", "rules", file], {
    encoding: "utf8",
  });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

/** Two processes, the first one started half an hour ago; 192 uploads, the last some minutes ago. */
const twoProcesses = { a: "_x119 0 0+1x60 60x60", b: "100x4 100+1x132 232x107" };

test("192 accepted uploads are 192, where increase would show 193", () => {
  expect(checked(twoProcesses, accepted, 192)).toBe("");
  const extrapolated = 'round(sum(increase(mlops_backend_dataset_uploads_total{outcome="accepted"}[1h])))';
  expect(checked(twoProcesses, extrapolated, 193)).toBe("");
});

test("a process that was started anew adds what it counted to what was counted before", () => {
  expect(checked({ a: "0x4 0+1x100 100x20 0+1x20 20x99" }, accepted, 120)).toBe("");
});
