import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { chartFolder } from "../../../infra/helm/chart-files.ts";
import { chartValues } from "../../../infra/helm/chart-readme.ts";
import { chartSecrets, valuesSchema } from "../../../infra/helm/values-schema.ts";
import { ruleFiles } from "../../../infra/monitoring/rules/rule-files.ts";
import { defaultPrefix } from "../../../otel/api/catalogue/metric-names.ts";
import { telemetryVariables } from "../../../otel/settings/telemetry-settings.ts";
import { settings } from "../../../src/settings/config.ts";

const root = join(import.meta.dirname, "../../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const inChart = (path: string): string => read(`${chartFolder}/${path}`);
const templates = globSync("templates/**/*", { cwd: join(root, chartFolder) })
  .filter((path) => /\.(yaml|tpl)$/.test(path))
  .map((path) => inChart(path));
const values = chartValues(inChart("values.yaml"));

test("chart, service and image have one version", () => {
  const { version } = JSON.parse(read("package.json"));
  expect(parse(inChart("Chart.yaml"))).toMatchObject({ version, appVersion: version });
  expect(read("docker-compose.yml")).toContain(`image: mlops-backend:${version}`);
});

test("the processes are started as the image starts one, by its user", () => {
  const dockerfile = read("infra/docker/Dockerfile");
  const pod = inChart("templates/_pod.tpl");
  const words = JSON.parse(/^CMD (.*)$/m.exec(dockerfile)?.[1] ?? "[]") as string[];
  expect(pod).toContain(`command: [${words.join(", ")}]`);
  expect(pod).toContain(`runAsUser: ${/^USER (\d+):\d+$/m.exec(dockerfile)?.[1]}\n`);
});

describe("settings", () => {
  const known = [...Object.values(settings).map(({ env }) => env as string), ...Object.keys(telemetryVariables)];

  test("that the chart sets exist", () => {
    const set = templates.flatMap((text) =>
      [...text.matchAll(/^ *(?:- name: |)([A-Z][A-Z0-9_]*[A-Z0-9])(?::|$)/gm)].map(([, name]) => name ?? ""),
    );
    expect(set).toContain("SERVICE_ROLE");
    expect(set).toContain("METRICS_PORT");
    // Read by Node itself.
    const unknown = set.filter((name) => name !== "NODE_EXTRA_CA_CERTS" && !known.includes(name));
    expect(unknown).toEqual([]);
  });

  test("that users may set are all others, secrets aside", () => {
    const allowed = Object.keys(
      (valuesSchema.properties as Record<string, { properties: object }>).settings?.properties ?? {},
    );
    expect(allowed).toContain("DATASET_TTL_DAYS");
    expect(allowed).toContain("PROMETHEUS__LATENCY_BUCKETS");
    for (const name of [...chartSecrets, "SERVICE_ROLE"]) expect(allowed).not.toContain(name);
    expect(allowed.filter((name) => !known.includes(name))).toEqual(["NODE_OPTIONS"]);
  });
});

test("every secret of the service has its place under `secrets`, and none of them has another", () => {
  const names = /define "mlops-backend\.secretNames" -}}\n(.*?)\{\{- end/s.exec(templates.join("\n"))?.[1] ?? "";
  const byValue = parse(names) as Record<string, string>;
  expect(Object.values(byValue).toSorted()).toEqual(chartSecrets.toSorted());
  const { existingSecret, existingKeys, ...plain } = parse(inChart("values.yaml")).secrets;
  expect(Object.keys(plain)).toEqual(Object.keys(byValue));
  expect(Object.keys(existingKeys)).toEqual(Object.keys(byValue));
  expect(existingSecret).toBe("");
});

test("every value is used by a template", () => {
  const all = templates.join("\n") + inChart("templates/NOTES.txt");
  // Resources are handed over whole, and secrets and the keys of a Secret are found by their names (the test above).
  const named = values.filter(({ path }) => !/\.resources\.|^secrets\./.test(path));
  expect(named.filter(({ path }) => !all.includes(`.${path.split(".").at(-1)}`))).toEqual([]);
});

test("the rules are those of Prometheus' files", () => {
  for (const [name, text] of ruleFiles({ prefix: defaultPrefix, timeScale: 1 }))
    expect(inChart(`rules/${name}`), name).toBe(text);
});

test("a comment of values.yaml becomes its line in the table, examples left out", () => {
  expect(chartValues("# head\n\n# of a\na:\n  # of b\n  b: 1 # and more\n  #  c: 3\n  # of d\n  d: {}\n")).toEqual([
    { path: "a.b", fallback: 1, about: "of b and more" },
    { path: "a.d", fallback: {}, about: "of d" },
  ]);
});
