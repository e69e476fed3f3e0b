import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ruleFiles } from "../../infra/monitoring/rules/rule-files.ts";
import { defaultPrefix } from "../../otel/catalogue.ts";
import { freePort } from "../support/free-port.ts";
import { promqlOf } from "../support/promql-of.ts";
import { eventually, OwnProcess, root, startService } from "./processes.ts";
import { type PrometheusProcess, startPrometheus } from "./prometheus-process.ts";
import { scriptedLoad } from "./scripted-load.ts";

/** Panels that show nothing but 0 in this test, and why. None may be empty. */
const mayBeZero: Readonly<Record<string, string>> = {
  "Failed uploads": "the disk is well",
  "Models removed": "fewer than are kept",
  "Statements waiting for a connection": "the load is light",
  "Targets up, but blind": "the prefix is the committed one",
  "Dropped measurements": "no limit is reached",
  "Dropped measurements by metric": "no limit is reached",
  "Failed rule evaluations": "the rules are sound",
  "Failed and late rule groups": "the rules are sound",
  "Failed notifications": "Alertmanager is there",
  "Notifications to people": "the committed receivers tell nobody",
  "Spans and log records not exported": "nothing is exported",
  "Not sent": "nothing is exported",
};

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly {
      readonly expr: string;
      readonly refId: string;
      readonly datasource: { readonly type: string };
    }[];
  }[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly templating: {
    readonly list: readonly { readonly type: string; readonly query: { readonly query: string } }[];
  };
}
interface Rule {
  readonly record?: string;
  readonly expr: string;
  readonly labels?: { readonly objective?: string };
}
interface RangeSeries {
  readonly metric: Record<string, string>;
  readonly values: [number, string][];
}

const monitoring = join(root, "infra/monitoring");
const read = (path: string): string => readFileSync(join(monitoring, path), "utf8");
const dashboards = readdirSync(join(monitoring, "grafana/dashboards")).map(
  (name) => JSON.parse(read(`grafana/dashboards/${name}`)) as Dashboard,
);
const recordingRules = readdirSync(join(monitoring, "prometheus/rules"))
  .flatMap((name) => (parse(read(`prometheus/rules/${name}`)) as { groups: { rules: Rule[] }[] }).groups)
  .flatMap(({ rules }) => rules.filter(({ record }) => record !== undefined))
  .map(({ record, expr, labels }) => ({ record, expr, objective: labels?.objective }));

/** An alert of ours fires when something is wrong, which nothing is here. */
const alwaysFiring = `groups:
  - name: test
    rules:
      - { alert: SomethingIsWrong, expr: vector(1), labels: { severity: warning } }
`;

const folder = mkdtempSync(join(tmpdir(), "mlops-backend-dashboards-"));
const startSeconds = Date.now() / 1000;
const resources = new AsyncDisposableStack();
let prometheus: PrometheusProcess;

/** What Grafana fills in with everything chosen. */
const everything = { job: ".+", instance: ".+" };

/** The numbers of an expression from the start of this test until now, as a graph shows them. */
async function shown(expression: string, { job, instance } = everything): Promise<RangeSeries[]> {
  const query = expression
    .replaceAll("$job", () => job)
    .replaceAll("$instance", () => instance)
    .replaceAll("$__rate_interval", "1m")
    .replaceAll("$__interval_ms", "60000")
    .replaceAll("$__range", "10m");
  // A step beyond now, so that the last scrape is in it.
  const range = { query, start: String(startSeconds), end: String(Date.now() / 1000 + 1), step: "1" };
  const { result } = await prometheus.ask<{ result: RangeSeries[] }>(`query_range?${new URLSearchParams(range)}`);
  return result;
}
const numbersOf = (series: readonly RangeSeries[]): number[] =>
  series
    .flatMap(({ values }) => values.map(([, value]) => Number(value.replace("Inf", "Infinity"))))
    .filter((value) => !Number.isNaN(value));

/** The one of the profile `alerting`, as it is committed: it tells nobody. */
async function startAlertmanager(): Promise<string> {
  const address = `127.0.0.1:${await freePort()}`;
  resources.use(
    new OwnProcess(process.env.ALERTMANAGER_BIN ?? "prometheus-alertmanager", [
      `--config.file=${join(monitoring, "alertmanager/alertmanager.yml")}`,
      `--storage.path=${join(folder, "alertmanager")}`,
      `--web.listen-address=${address}`,
      "--cluster.listen-address=",
    ]),
  );
  return address;
}

beforeAll(async () => {
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = join(folder, "data");
  const port = String(await freePort());
  const env = {
    SERVICE_PORT: port,
    DATASET_TTL_DAYS: "0.0002",
    DATASET_TTL_CHECK_INTERVAL_SECONDS: "2",
    PROMETHEUS__CREATED: "true",
  };
  const { service, url } = await startService(dataDir, env);
  resources.use(service);
  prometheus = await startPrometheus({
    folder: join(folder, "prometheus"),
    target: new URL(url).host,
    alertmanager: await startAlertmanager(),
    // Hours become minutes, so that every window is recorded.
    rules: new Map([...ruleFiles({ prefix: defaultPrefix, timeScale: 1 / 60 }), ["test.yml", alwaysFiring]]),
  });
  resources.use(prometheus.process);
  const seen = async (expression: string): Promise<void> => {
    await eventually(expression, 120, async () => ((await prometheus.query(expression)).length > 0 ? true : undefined));
  };
  await seen('up{job="backend"} == 1');
  await scriptedLoad({ url, dataDir }, seen);

  // Down, and up again with a file less, which the sweep at the start finds.
  const models = join(dataDir, "files/artifact");
  rmSync(join(models, readdirSync(models)[0] ?? "none"));
  await service[Symbol.asyncDispose]();
  await seen('up{job="backend"} == 0');
  resources.use((await startService(dataDir, env)).service);
  await seen("mlops_backend_files_missing > 0");
  await seen("count(objective:covered:days) == 5");
  // A subquery looks at whole minutes of the clock: before the next one begins, there is none to look at.
  for (const { expr } of recordingRules.filter((rule) => rule.expr.includes(":1m]"))) await seen(expr);
});
afterAll(() => resources.disposeAsync());

describe("after a load that has all in it", () => {
  test.each(dashboards.map((dashboard) => [dashboard.uid, dashboard] as const))(
    "every query of %s has data, and every panel more than 0",
    async (_uid, { panels }) => {
      const empty: string[] = [];
      const zero: string[] = [];
      for (const { title, targets: all = [] } of panels) {
        // Loki and Tempo are not here; rows of logs are closed.
        const targets = all.filter(({ datasource }) => datasource.type === "prometheus");
        const numbers = await Promise.all(targets.map(async ({ expr }) => numbersOf(await shown(expr))));
        for (const [index, { refId, expr }] of targets.entries())
          if (numbers[index]?.length === 0) empty.push(`${title} ${refId}: ${expr}`);
        if (targets.length > 0 && numbers.flat().every((value) => value === 0)) zero.push(title);
      }
      expect(empty).toEqual([]);
      expect(zero.filter((title) => !(title in mayBeZero))).toEqual([]);
    },
  );

  test("every query has data when one job and one instance are chosen", async () => {
    const [up] = await prometheus.query('up{job="backend"}');
    // A choice is a regular expression within a string of PromQL.
    const chosen = { job: "backend", instance: (up?.metric.instance ?? "").replaceAll(".", "\\\\.") };
    expect(chosen.instance).toMatch(/^127\\\\.0\\\\.0\\\\.1:\d+$/);
    const empty: string[] = [];
    for (const expr of promqlOf(dashboards.map(({ panels }) => panels)))
      if (numbersOf(await shown(expr, chosen)).length === 0) empty.push(expr);
    expect(empty).toEqual([]);
  });

  test("every variable and annotation has data", async () => {
    for (const { templating, annotations } of dashboards) {
      for (const { query } of templating.list.filter(({ type }) => type === "query")) {
        const [, selector = "", label = ""] = /^label_values\((.*), (\w+)\)$/.exec(query.query) ?? [];
        expect(
          (await shown(selector)).map(({ metric }) => metric[label] ?? ""),
          query.query,
        ).toContainEqual(expect.stringMatching(/./));
      }
      for (const { name, expr } of annotations.list) expect(numbersOf(await shown(expr)), name).not.toEqual([]);
    }
  });

  test("the reasons for nothing but 0 are of panels that exist", () => {
    const titles = dashboards.flatMap(({ panels }) => panels.map(({ title }) => title));
    expect(Object.keys(mayBeZero).filter((title) => !titles.includes(title))).toEqual([]);
  });

  test.each(recordingRules)("$record of $objective, as it is committed, has data", async ({ expr }) => {
    expect(numbersOf(await shown(expr))).not.toEqual([]);
  });

  test("every rule was evaluated without a fault", async () => {
    const { groups } = await prometheus.ask<{ groups: { rules: { name: string; health: string }[] }[] }>("rules");
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(recordingRules.length);
    expect(rules.filter(({ health }) => health !== "ok")).toEqual([]);
  });
});
