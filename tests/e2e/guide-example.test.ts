import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { guideBlocks, guideChanges } from "../support/guide-changes.ts";
import { OwnProcess, root, startService } from "./processes.ts";

const resources = new AsyncDisposableStack();
/** This repository with the changes that the guide shows. */
const tree = mkdtempSync(join(tmpdir(), "mlops-backend-guide-"));
resources.defer(() => rmSync(tree, { recursive: true, force: true }));
afterAll(() => resources.disposeAsync());

/** Runs a program on the copy, which must like it. */
async function runProgram(path: string, ...parameters: string[]): Promise<void> {
  const program = resources.use(new OwnProcess(path, parameters));
  expect(await program.ended(), `${parameters.join(" ")}\n${program.output}`).toBe(0);
}
/** The same of one of the repository. */
const run = (...parameters: string[]): Promise<void> => runProgram(process.execPath, ...parameters);

beforeAll(() => {
  const left = /^(node_modules|data|coverage|\.git|\.cache|\.env)$/;
  cpSync(root, tree, { recursive: true, filter: (path) => !left.test(relative(root, path)) });
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  for (const [path, text] of guideChanges()) writeFileSync(join(tree, path), text);
});

test("the guide's metric, panel and alert compile, are formatted, and are generated", async () => {
  await run(join(tree, "infra/monitoring/generate/generate.ts"));
  await run("node_modules/typescript/bin/tsc", "--noEmit", "--project", tree);
  const biome = ["node_modules/@biomejs/biome/bin/biome", "check", "--vcs-enabled=false"];
  await run(...biome, `--config-path=${tree}/biome.json`, ...["otel", "src", "infra"].map((name) => join(tree, name)));
  expect(readFileSync(join(tree, "docs/metrics.md"), "utf8")).toContain(
    "| `mlops_backend_dataset_downloads_total` | counter |",
  );
  const dashboard = readFileSync(join(tree, "infra/monitoring/grafana/dashboards/mlops-backend-datasets.json"), "utf8");
  expect(dashboard).toContain("sum by (outcome) (rate(mlops_backend_dataset_downloads_total{");
});

test("the tests of dashboards, alerts, runbooks and generated files like them", async () => {
  const names = ["dashboards", "lint-promql", "stack-files", "alert-rules", "runbooks"];
  const tests = names.map((name) => `tests/unit/infra/${name}.test.ts`);
  await run("node_modules/vitest/vitest.mjs", "run", "--root", tree, ...tests);
});

test("promtool likes the guide's alert", async () => {
  const rules = join(tree, "infra/monitoring/prometheus/rules/datasets.yml");
  expect(readFileSync(rules, "utf8")).toContain("- alert: DatasetDownloadsFailing\n");
  expect(readFileSync(join(tree, "docs/monitoring.md"), "utf8")).toContain("| [DatasetDownloadsFailing](");
  await run(join(tree, "infra/monitoring/generate/test-rules.ts"), "datasets");
  await runProgram(process.env.PROMTOOL_BIN ?? "promtool", "check", "rules", "--lint=all", "--lint-fatal", rules);
});

test("a service of the guide's code counts one download as the guide shows", async () => {
  const { service, url } = await startService(join(tree, "data"), {}, tree);
  resources.use(service);
  const form = new FormData();
  form.set("file", new Blob(["size,colour,label\n1,red,x\n2,blue,y\n3,red,x\n"]), "a.csv");
  const { id } = (await (await fetch(`${url}/api/ml/v1/datasets/upload`, { method: "POST", body: form })).json()) as {
    id: string;
  };
  expect(await (await fetch(`${url}/api/ml/v1/datasets/${id}/content`)).text()).toContain("red");
  const counted = async (): Promise<string[]> => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return metrics.split("\n").filter((line) => line.includes("dataset_downloads"));
  };
  const [expected = ""] = guideBlocks("Adding a metric", "text");
  // A download is counted when its answer has ended: whoever has all of it may ask before.
  await expect.poll(counted).toEqual(expected.split("\n"));
});
