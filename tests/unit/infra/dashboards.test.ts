import { describe, expect, test } from "vitest";
import { dashboardTitles, dashboardUids } from "../../../infra/monitoring/dashboards/dashboard-list.ts";
import { generatedFiles } from "../../../infra/monitoring/generate/generate.ts";
import { knownSeries } from "../../../infra/monitoring/queries/known-series.ts";
import { lintPromql } from "../../../infra/monitoring/queries/lint-promql.ts";
import { metricDefinitions } from "../../../otel/api/catalogue/catalogue.ts";
import { defaultPrefix, prometheusName } from "../../../otel/api/catalogue/metric-names.ts";
import { promqlOf } from "../../support/promql-of.ts";
import { charts, everyPanel, type Panel, readDashboards } from "./read-dashboards.ts";

const dashboards = readDashboards();
const asksPrometheus = ({ datasource }: Panel): boolean => datasource?.uid === "Prometheus";
/** Where logs and traces are asked for, and by which boxes above; the overview is the same without them. */
const ownVariables: Readonly<Record<string, readonly string[]>> = {
  "mlops-backend-http": ["service"],
  "mlops-backend-training": ["service"],
  "mlops-backend-traces": ["service", "slower", "id"],
};

test("there are the seven that are linked to", () => {
  expect(dashboards.map(({ uid }) => uid)).toEqual(dashboardUids);
  expect(new Set(dashboards.map(({ title }) => title)).size).toBe(7);
});

test("without Tempo and Loki only the dashboard of traces asks for them, the others when a row is opened", () => {
  for (const { uid, panels } of dashboards) {
    const asked = panels.filter((panel) => panel.datasource !== undefined && !asksPrometheus(panel));
    expect(asked.length > 0, uid).toBe(uid === "mlops-backend-traces");
    const rows = panels.filter(({ type }) => type === "row");
    expect(rows.length, uid).toBe(["mlops-backend-http", "mlops-backend-training"].includes(uid) ? 1 : 0);
    for (const row of rows) {
      expect(row).toMatchObject({ collapsed: true, title: expect.stringContaining("profile tracing") });
      expect(row.panels?.map(({ type }) => type)).toEqual(["logs", "logs"]);
      expect(panels.at(-1)).toBe(row);
    }
  }
});

describe.each(dashboards.map((dashboard) => [dashboard.uid, dashboard] as const))("%s", (_uid, dashboard) => {
  const { panels, links, templating, annotations } = dashboard;

  test("is at most 40 rows of 24 columns, each filled once", () => {
    const ids = everyPanel(dashboard).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const cells = new Map<string, string>();
    let rows = 0;
    for (const { title, gridPos } of panels) {
      rows = Math.max(rows, gridPos.y + gridPos.h);
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
          expect(x, title).toBeLessThan(24);
          expect(cells.get(`${x} ${y}`), `under ${title}`).toBeUndefined();
          cells.set(`${x} ${y}`, title);
        }
      }
    }
    expect(rows).toBeLessThanOrEqual(40);
    expect(cells.size).toBe(rows * 24);
  });

  test("says at its top what it answers", () => {
    expect(panels[0]).toMatchObject({ type: "text", gridPos: { x: 0, y: 0, w: 24 } });
    expect(panels[0]?.options?.content).toMatch(/^\*\*.+\?\*\* .+\./);
  });

  test("explains every panel: title that fits, description, unit, what no data means, legends", () => {
    expect(charts(dashboard).length).toBeGreaterThan(10);
    const titles = everyPanel(dashboard).map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    for (const { title, description, datasource, fieldConfig, gridPos, targets = [] } of charts(dashboard)) {
      expect(title, JSON.stringify(targets)).toMatch(/^\S/);
      // About seven characters a column at Grafana's narrowest: 1,200 pixels.
      expect(title.length, title).toBeLessThanOrEqual(gridPos.w * 6);
      expect(description, title).toMatch(/[.?]$/);
      expect(["Prometheus", "Loki", "Tempo"], title).toContain(datasource?.uid);
      expect(new Set(targets.map((target) => target.datasource.uid)), title).toEqual(new Set([datasource?.uid]));
      expect(fieldConfig?.defaults.unit, title).toMatch(/./);
      expect(fieldConfig?.defaults.noValue, title).toMatch(/\w+ \w+/);
      expect(targets.length, title).toBeGreaterThan(0);
      expect(
        targets.filter(({ legendFormat, query }) => !legendFormat && query === undefined),
        title,
      ).toEqual([]);
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
    }
  });

  test("draws no line of what happened in the whole time range: each point would add it up again", () => {
    const drawn = charts(dashboard).filter(({ targets = [] }) =>
      // What only chooses the lines that are shown adds nothing up.
      targets.some(
        ({ expr = "", range }) => range === true && expr.replace(/ and on \(.*\) > 0$/, "").includes("$__range"),
      ),
    );
    expect(drawn.map(({ title }) => title)).toEqual([]);
  });

  test("shows why there is nothing where nothing happened: a share or quantile of nothing is absent, not NaN", () => {
    for (const { expr = "" } of charts(dashboard).flatMap(({ targets = [] }) => targets)) {
      expect(expr).not.toMatch(/\/ (sum|rate|increase)\b/);
      expect(expr.split("histogram_quantile(").length, expr).toBe(
        expr.split(/\(histogram_quantile\(.*\) >= 0\)/).length,
      );
    }
  });

  test("counts in bars that don't overlap", () => {
    for (const { title, targets = [], fieldConfig, interval } of charts(dashboard)) {
      const counts = targets.map(({ expr = "" }) => expr.includes("$__interval_ms"));
      const isBars = fieldConfig?.defaults.custom?.drawStyle === "bars";
      expect(counts, title).toEqual(counts.map(() => isBars));
      // Four scrapes, so that the step is never shorter than the range less one scrape. Of the panel: that of a query
      // would be taken for the scrape interval, and $__rate_interval would be four times as long.
      if (isBars) expect(interval, title).toBe("1m");
    }
  });

  test("links to all the others, which keep the choice", () => {
    expect(links.map(({ url }) => url)).toEqual(
      dashboardUids.filter((uid) => uid !== dashboard.uid).map((uid) => `/d/${uid}`),
    );
    for (const link of links) expect(link).toMatchObject({ includeVars: true, keepTime: true });
    // Its default hides them behind a button.
    expect(links.filter((link) => "placement" in link)).toEqual([]);
    for (const link of everyPanel(dashboard).flatMap((panel) => panel.links ?? [])) {
      const [, uid = ""] = /^\/d\/([^?]+)\?\$\{job:queryparam\}&\$\{instance:queryparam\}&/.exec(link.url) ?? [];
      expect(Object.keys(dashboardTitles), link.url).toContain(uid);
      expect(link).not.toHaveProperty("placement");
    }
  });

  test("asks for the job and the instance, and for no variable that it lacks", () => {
    const variables = ["job", "instance", ...(ownVariables[dashboard.uid] ?? [])];
    expect(templating.list.map(({ name }) => name)).toEqual(variables);
    const ofPanels = everyPanel(dashboard).flatMap(({ targets = [] }) => targets);
    const expressions = [
      ...ofPanels.map(({ expr, query }) => expr ?? query ?? ""),
      ...annotations.list.map(({ expr }) => expr),
    ];
    const ofGrafana = ["__rate_interval", "__interval_ms", "__range", "__auto"];
    const used = new Set(expressions.flatMap((text) => [...text.matchAll(/\$(\w+)/g)].map(([, name = ""]) => name)));
    expect([...used].filter((name) => !variables.includes(name) && !ofGrafana.includes(name))).toEqual([]);
    expect(variables.filter((name) => !used.has(name))).toEqual([]);
    // What the service measures is narrowed to the choice; Prometheus speaks of itself.
    for (const expression of [...promqlOf(panels), ...promqlOf(annotations)].filter((text) =>
      /\b(mlops_backend|http_server|v8js|nodejs)_/.test(text),
    )) {
      expect(expression).toContain('job=~"$job"');
    }
  });

  test("marks starts, new versions and alerts", () => {
    expect(annotations.list.map(({ name, enable }) => [name, enable])).toEqual([
      ["Restarts", true],
      ["Deployments", true],
      ["Firing alerts", true],
    ]);
  });
});

test("legends are words: no underscores of outcomes and causes, no files of rule groups", () => {
  /** A legend with that label's value, as Grafana renames it. */
  function legendsOf(label: string, value: string): Set<string> {
    const panels = dashboards.flatMap(charts).filter(({ type }) => type === "timeseries");
    const shown = panels.flatMap(({ targets = [], transformations = [] }) =>
      targets
        .filter(({ legendFormat = "" }) => legendFormat.includes(`{{${label}}}`))
        .map(({ legendFormat = "" }) =>
          transformations
            .filter(({ id }) => id === "renameByRegex")
            .reduce(
              (text, { options }) => {
                const [, pattern = "", flags] = /^\/(.*)\/(\w*)$/.exec(options.regex) ?? [];
                return text.replace(new RegExp(pattern, flags), options.renamePattern);
              },
              legendFormat.replace(`{{${label}}}`, value),
            ),
        ),
    );
    return new Set(shown);
  }
  expect(legendsOf("outcome", "server_error")).toContain("server error");
  expect(legendsOf("error_type", "out_of_memory")).toEqual(new Set(["out of memory"]));
  expect([...legendsOf("outcome", "a_b"), ...legendsOf("error_type", "a_b")].join()).not.toContain("a_b");
  expect(legendsOf("rule_group", "/etc/prometheus/rules/ttl.yml;ttl")).toEqual(
    new Set(["Failed, ttl", "Left out, ttl", "ttl"]),
  );
});

test("every metric is looked at", () => {
  const asked = JSON.stringify(dashboards);
  const unseen = metricDefinitions
    .map(([, definition]) => prometheusName(definition))
    .filter((name) => !asked.includes(name));
  // Median, 99th percentile and maximum say more.
  expect(unseen).toEqual(["nodejs_eventloop_delay_mean_seconds"]);
});

describe("the overview agrees with the objective of", () => {
  /** The label matchers of a metric in each query, but those of the target and of the bucket. */
  function requestsOf(metric: string, expressions: readonly string[]): Set<string> {
    const selectors = expressions.flatMap((text) => [...text.matchAll(new RegExp(`${metric}\\{(.*?)\\}`, "g"))]);
    return new Set(
      selectors.map(([, matchers = ""]) =>
        matchers.replaceAll(/,?\b(job|instance|le)=~?"[^"]*"/g, "").replace(/^,/, ""),
      ),
    );
  }
  const panelsOf = (...titles: string[]): string[] =>
    (dashboards[0]?.panels ?? [])
      .filter(({ title }) => titles.includes(title))
      .flatMap(({ targets = [] }) => targets.map(({ expr = "" }) => expr));
  const rulesOf = (objective: string): string[] => [
    generatedFiles().get(`infra/monitoring/prometheus/rules/objective-${objective}.yml`) ?? "",
  ];

  test("availability on which requests count", () => {
    const metric = "mlops_backend_http_requests_total";
    const ofPanels = requestsOf(metric, panelsOf("Server errors", "Share of errors"));
    const ofRules = requestsOf(metric, rulesOf("http-availability"));
    // What the client did wrong is shown beside, of the same requests.
    expect(ofPanels).toEqual(new Set([...ofRules, 'http_route=~"/api/ml/v1/.*",outcome="client_error"']));
    expect(ofRules.size).toBe(2);
  });

  test("latency on which requests count", () => {
    const metric = "http_server_request_duration_seconds_(?:bucket|count)";
    const ofRules = requestsOf(metric, rulesOf("http-latency"));
    expect(requestsOf(metric, panelsOf("Latency, p95", "Latency"))).toEqual(ofRules);
    expect(ofRules.size).toBe(1);
  });
});

test("whole things are whole: no decimals, no thousands in one digit, and none that a range extrapolates", () => {
  const ofCounts = dashboards
    .flatMap(charts)
    .filter(({ targets = [] }) => targets.some(({ expr = "" }) => /\$__interval_ms|\[\$__range\]/.test(expr)));
  expect(ofCounts.length).toBeGreaterThan(15);
  for (const { title, fieldConfig, targets = [] } of ofCounts) {
    const { unit, decimals } = fieldConfig?.defaults ?? {};
    if (unit === "percentunit") continue;
    expect(unit, title).toBe("locale");
    const isBars = fieldConfig?.defaults.custom?.drawStyle === "bars";
    if (isBars) expect(decimals, title).toBe(0);
    for (const { expr = "" } of isBars ? [] : targets) {
      const summed = expr.split("increase(").length - 1;
      expect(expr.match(/round\(sum.*? unless resets\(.*?\) > 0\) or increase\(/g)?.length ?? 0, expr).toBe(summed);
    }
  }
  const inShort = dashboards.flatMap(charts).filter(({ fieldConfig }) => fieldConfig?.defaults.unit === "short");
  expect(inShort.filter(({ type }) => type !== "table").map(({ title }) => title)).toEqual(["CPU"]);
});

test("«All» jobs are those of the list, which has none but this service's", () => {
  for (const { templating, uid } of dashboards) {
    const [job, instance] = templating.list;
    expect(job, uid).toMatchObject({ name: "job", includeAll: true, regex: '/job="([^"]+)"/' });
    expect(job?.allValue ?? null, uid).toBeNull();
    expect(instance, uid).toMatchObject({ name: "instance", allValue: ".+" });
  }
});

test("a model that is called better than naive is", () => {
  const panel = dashboards.flatMap(charts).find(({ title }) => title === "Models better than naive");
  const [, bound] = /le="([\d.]+)"/.exec(panel?.targets?.[0]?.expr ?? "") ?? [];
  expect(Number(bound)).toBeLessThan(1);
});

test("latencies lead to traces", () => {
  const targets = dashboards.flatMap(charts).flatMap((panel) => panel.targets ?? []);
  const latencies = targets.filter(({ expr = "" }) =>
    /http_server_request_duration_seconds_bucket|prediction_duration_seconds_bucket/.test(expr),
  );
  const overTime = latencies.filter(({ range }) => range === true);
  expect(overTime.length).toBeGreaterThan(5);
  expect(overTime.filter(({ exemplar }) => exemplar !== true)).toEqual([]);
});

test("a service of another name is looked for by it", () => {
  const [named] = readDashboards({ OTEL_SERVICE_NAME: "trainer" }).filter(({ uid }) => uid === "mlops-backend-traces");
  expect(named?.templating.list.find(({ name }) => name === "service")).toMatchObject({
    query: "trainer",
    current: { value: "trainer" },
  });
});

describe("with another prefix", () => {
  const env = { PROMETHEUS__METRIC_NAMESPACE: "acme", PROMETHEUS__METRIC_SUBSYSTEM: "ml" };

  test("every query and variable asks for its names", () => {
    const renamed = JSON.stringify(readDashboards(env));
    expect(renamed).not.toContain(defaultPrefix);
    expect(renamed.replaceAll("acme_ml_", `${defaultPrefix}_`)).toBe(JSON.stringify(dashboards));
    const known = knownSeries("acme_ml");
    for (const { panels } of readDashboards(env)) {
      for (const expr of promqlOf(panels)) expect(lintPromql(expr, known), expr).toEqual([]);
    }
  });

  test("a bad one writes nothing", () => {
    expect(() => generatedFiles({ PROMETHEUS__METRIC_NAMESPACE: "1st" })).toThrow(/PROMETHEUS__METRIC_NAMESPACE/);
  });
});
