import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ruleFiles } from "../../infra/monitoring/rules/rule-files.ts";
import { defaultPrefix } from "../../otel/api/catalogue/metric-names.ts";
import { freePort } from "../support/free-port.ts";
import { promqlOf } from "../support/promql-of.ts";
import { openAlertInbox } from "./alert-inbox.ts";
import { startAlertmanager } from "./alertmanager-process.ts";
import { eventually, root, startService } from "./processes.ts";
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
  "Spans, log records and points not exported": "nothing is exported",
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
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly query: { readonly query: string };
      readonly regex?: string;
    }[];
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
  .flatMap(({ rules }) => rules.filter(({ record }) => record?.startsWith("objective:")))
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

/** What Grafana fills in for the variables, as regular expressions. */
interface Choice {
  readonly job: string;
  readonly instance: string;
}
/** With everything chosen: of jobs all of the list, of instances whatever there is. Set once it can be asked for. */
let everything: Choice = { job: "not asked for yet", instance: ".+" };

/** The numbers of an expression from the start of this test until now, as a graph shows them. */
async function shown(
  expression: string,
  { job, instance }: Choice = everything,
  endSeconds = Date.now() / 1000 + 1,
): Promise<RangeSeries[]> {
  const query = expression
    .replaceAll("$job", () => job)
    .replaceAll("$instance", () => instance)
    .replaceAll("$__rate_interval", "1m")
    .replaceAll("$__interval_ms", "60000")
    .replaceAll("$__range", "10m");
  // A step beyond now, so that the last scrape is in it.
  const range = { query, start: String(startSeconds), end: String(endSeconds), step: "1" };
  const { result } = await prometheus.ask<{ result: RangeSeries[] }>(`query_range?${new URLSearchParams(range)}`);
  return result;
}
const numbersOf = (series: readonly RangeSeries[]): number[] =>
  series
    .flatMap(({ values }) => values.map(([, value]) => Number(value.replace("Inf", "Infinity"))))
    .filter((value) => !Number.isNaN(value));

/** The list of a variable, as Grafana makes it of what Prometheus answers. */
async function listOf({ query, regex }: Dashboard["templating"]["list"][number]): Promise<string[]> {
  const [, expression = "", label] = /^(?:query_result|label_values)\((.*?)(?:, (\w+))?\)$/.exec(query.query) ?? [];
  const metrics = (await shown(expression, { job: ".+", instance: ".+" })).map(({ metric }) => metric);
  if (label !== undefined) return [...new Set(metrics.map((metric) => metric[label] ?? ""))];
  const [, cut = ""] = /^\/(.*)\/$/.exec(regex ?? "") ?? [];
  const lines = metrics.map((metric) =>
    Object.entries(metric)
      .map(([name, value]) => `${name}="${value}"`)
      .join(","),
  );
  return [...new Set(lines.map((line) => new RegExp(cut).exec(line)?.[1] ?? ""))];
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
  const inbox = resources.use(await openAlertInbox());
  const alertmanager = await startAlertmanager(join(folder, "receivers"), inbox);
  resources.use(alertmanager.process);
  prometheus = await startPrometheus({
    folder: join(folder, "prometheus"),
    target: new URL(url).host,
    alertmanager: alertmanager.address,
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
  await seen('sum(alertmanager_notifications_total{integration="slack"}) > 0');
  await seen('sum(alertmanager_notifications_total{integration="webhook"}) > 0');
  await seen("count(objective:covered:days) == 5");
  // A subquery looks at whole minutes of the clock: before the next one begins, there is none to look at.
  for (const { expr } of recordingRules.filter((rule) => rule.expr.includes(":1m]"))) await seen(expr);
  const [job] = dashboards[0]?.templating.list ?? [];
  everything = { job: job === undefined ? "" : (await listOf(job)).join("|"), instance: ".+" };
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

  test("all jobs are this service's: no query takes in what Prometheus and Alertmanager say of themselves", async () => {
    for (const { templating } of dashboards) {
      const [job] = templating.list;
      expect(job === undefined ? [] : await listOf(job)).toEqual(["backend"]);
    }
    // Both have figures of the same names.
    for (const name of ["process_open_fds", "scrape_samples_scraped", "up"])
      expect((await prometheus.query(`count by (job) (last_over_time(${name}[1m]))`)).length, name).toBe(3);
    const now = Date.now() / 1000;
    for (const expr of promqlOf(dashboards.map(({ panels }) => panels))) {
      const [ofAll, ofService] = [everything, { job: "backend", instance: ".+" }];
      expect(await shown(expr, ofAll, now), expr).toEqual(await shown(expr, ofService, now));
    }
  });

  test("people are counted as told by the ways that were taken, without the pings of the dead-man's switch", async () => {
    const panel = dashboards.flatMap(({ panels }) => panels).find(({ title }) => title === "Notifications to people");
    // Alertmanager knows a dozen ways. Mail follows where an alert has fired for long enough.
    for (const { expr } of panel?.targets ?? []) {
      const ways = (await shown(expr)).map(({ metric }) => metric.integration);
      expect(ways).toContain("slack");
      expect(ways.filter((way) => way !== "slack" && way !== "email")).toEqual([]);
    }
  });

  test("every variable and annotation has data", async () => {
    for (const { templating, annotations } of dashboards) {
      for (const variable of templating.list.filter(({ type }) => type === "query"))
        expect(await listOf(variable), variable.query.query).toContainEqual(expect.stringMatching(/./));
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
