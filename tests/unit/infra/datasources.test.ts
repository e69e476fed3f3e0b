import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { knownSeries } from "../../../infra/monitoring/queries/known-series.ts";
import { lintLogql } from "../../../infra/monitoring/queries/lint-logql.ts";
import { lintPromql } from "../../../infra/monitoring/queries/lint-promql.ts";
import { lintTraceql } from "../../../infra/monitoring/queries/lint-traceql.ts";
import { defaultPrefix } from "../../../otel/api/catalogue/metric-names.ts";
import { spanAttributes } from "../../../otel/api/span-attributes.ts";
import { knownLines, knownSpans } from "../../support/known-telemetry.ts";
import { monitoring, root, services, valuesOf, yaml } from "./stack-files.ts";

const provisioning = `${monitoring}/grafana/provisioning/datasources`;
const datasources = readdirSync(join(root, provisioning)).flatMap(
  (name) => yaml(`${provisioning}/${name}`).datasources,
);
const byUid = new Map(datasources.map((datasource) => [datasource.uid, datasource]));
/** What a file may hold; a value of its own says only that it is one. */
type Shape = { readonly [key: string]: Shape } | readonly [Shape] | "text" | "flag" | "number";

/** The paths of what is not in the shape, or of another kind. */
function misfits(value: unknown, shape: Shape, path = ""): string[] {
  const kinds = { text: "string", flag: "boolean", number: "number" };
  if (typeof shape === "string") return typeof value === kinds[shape] ? [] : [path];
  if (Array.isArray(shape))
    return Array.isArray(value) ? value.flatMap((each, index) => misfits(each, shape[0], `${path}[${index}]`)) : [path];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) => {
    const known = (shape as Readonly<Record<string, Shape>>)[key];
    return known === undefined ? [`${path}.${key}`] : misfits(inner, known, `${path}.${key}`);
  });
}

/** As far as our files use them, of Grafana's documentation of provisioning and of each data source. */
const shifted = { datasourceUid: "text", spanStartTimeShift: "text", spanEndTimeShift: "text" } as const;
const jsonDataOf: Readonly<Record<string, Shape>> = {
  prometheus: {
    httpMethod: "text",
    timeInterval: "text",
    prometheusType: "text",
    exemplarTraceIdDestinations: [{ name: "text", datasourceUid: "text", urlDisplayLabel: "text" }],
  },
  loki: {
    maxLines: "number",
    derivedFields: [
      {
        name: "text",
        matcherType: "text",
        matcherRegex: "text",
        datasourceUid: "text",
        url: "text",
        urlDisplayLabel: "text",
      },
    ],
  },
  tempo: {
    tracesToLogsV2: { ...shifted, customQuery: "flag", query: "text" },
    tracesToMetrics: {
      ...shifted,
      tags: [{ key: "text", value: "text" }],
      queries: [{ name: "text", query: "text" }],
    },
    serviceMap: { datasourceUid: "text" },
    nodeGraph: { enabled: "flag" },
    search: { hide: "flag" },
  },
};
const datasourceShape = (type: string): Shape => ({
  name: "text",
  uid: "text",
  type: "text",
  access: "text",
  url: "text",
  isDefault: "flag",
  editable: "flag",
  jsonData: jsonDataOf[type] ?? {},
  correlations: [
    {
      targetUID: "text",
      label: "text",
      description: "text",
      config: {
        field: "text",
        target: { queryType: "text", query: "text", expr: "text" },
        transformations: [{ type: "text", field: "text", expression: "text", mapValue: "text" }],
      },
    },
  ],
});

/** Grafana reads `$$` as `$`; what it fills in then becomes a value of this kind. */
const filledIn = (text: string, values: Readonly<Record<string, string>>): string =>
  Object.entries(values).reduce((filled, [name, value]) => filled.replaceAll(`$\${${name}}`, value), text);

describe("datasources", () => {
  test("say nothing that Grafana does not know: it would pass over it in silence", () => {
    for (const name of readdirSync(join(root, provisioning))) {
      const { apiVersion, datasources: all, ...rest } = yaml(`${provisioning}/${name}`);
      expect([apiVersion, Object.keys(rest)]).toEqual([1, []]);
      for (const datasource of all) expect(misfits(datasource, datasourceShape(datasource.type)), name).toEqual([]);
    }
    const { jsonData, ...tempo } = structuredClone(byUid.get("Tempo"));
    jsonData.tracesToMetrics.queries[0].qery = "x";
    jsonData.nodeGraph.enabled = "true";
    expect(misfits({ ...tempo, jsonData, uuid: "x" }, datasourceShape("tempo")).sort()).toEqual([
      ".jsonData.nodeGraph.enabled",
      ".jsonData.tracesToMetrics.queries[0].qery",
      ".uuid",
    ]);
  });

  test("ask Prometheus for what there is of a span's route or mode, and of no other job", () => {
    const { tags, queries } = byUid.get("Tempo").jsonData.tracesToMetrics;
    const allowed = [...knownSpans.attributes];
    expect(tags.filter(({ key }: { key: string }) => !allowed.includes(key))).toEqual([]);
    expect(tags.map(({ key }: { key: string }) => key)).toContain(spanAttributes.mode);
    const known = knownSeries(defaultPrefix);
    const values: Readonly<Record<string, string>> = { http_route: "/api/ml/v1/datasets", mode: "light" };
    for (const { name, query } of queries) {
      expect(query, name).toContain('{job="backend",$$__tags}');
      const faults = tags.map(({ value }: { value: string }) =>
        lintPromql(query.replaceAll("$$__tags", `${value}="${values[value]}"`), known),
      );
      const fitting = tags.filter((_: unknown, index: number) => faults[index].length === 0);
      expect(
        fitting.map(({ value }: { value: string }) => value),
        `${name}: ${faults.flat()}`,
      ).toEqual([name.startsWith("Request:") ? "http_route" : "mode"]);
    }
  });

  test("ask Loki and Tempo for what there is of a span's trace or run", () => {
    const { jsonData, correlations } = byUid.get("Tempo");
    const ofTrace = filledIn(jsonData.tracesToLogsV2.query, {
      '__span.tags["service.name"]': "mlops-backend",
      "__trace.traceId": "0af7651916cd43dd8448eb211c80319c",
    });
    expect(lintLogql(ofTrace, knownLines)).toEqual([]);
    for (const { targetUID, config } of correlations) {
      const { query, expr } = config.target;
      if (targetUID === "Tempo") expect(lintTraceql(filledIn(query, { runId: "0190-run" }), knownSpans)).toEqual([]);
      else expect(lintLogql(filledIn(expr, { runId: "0190-run" }), knownLines)).toEqual([]);
    }
  });

  test("lead from a line to all lines of its run", () => {
    const [, field] = byUid.get("Loki").jsonData.derivedFields;
    expect(field).toMatchObject({ name: "Run", matcherType: "label", matcherRegex: "run_id" });
    // With a datasourceUid Grafana would hand Loki a `query`, which it does not look at.
    expect(field).not.toHaveProperty("datasourceUid");
    const address = new URL(filledIn(field.url, { "__value.raw": "0190-run" }), "http://grafana");
    expect([address.pathname, address.searchParams.get("schemaVersion")]).toEqual(["/explore", "1"]);
    const { lines } = JSON.parse(address.searchParams.get("panes") ?? "");
    expect(lines.range).toEqual({ from: "now-7d", to: "now" });
    expect(byUid.has(lines.datasource)).toBe(true);
    const [query] = lines.queries;
    expect(query).toMatchObject({
      refId: "A",
      queryType: "range",
      datasource: { type: "loki", uid: lines.datasource },
    });
    expect(query.expr).toContain('run_id="0190-run"');
    expect(lintLogql(query.expr, knownLines)).toEqual([]);
  });

  test("have names and uids of their own, and can't be changed by hand", () => {
    expect([...byUid.keys()].sort()).toEqual(["Loki", "Prometheus", "Tempo"]);
    expect(datasources).toHaveLength(byUid.size);
    for (const { name, uid, type, editable } of datasources)
      expect([name, type, editable]).toEqual([uid, uid.toLowerCase(), false]);
    expect(datasources.filter(({ isDefault }) => isDefault).map(({ uid }) => uid)).toEqual(["Prometheus"]);
  });

  test("name only datasources that there are, and dashboards do too", () => {
    const named = datasources.flatMap((datasource) => valuesOf(datasource, new Set(["datasourceUid", "targetUID"])));
    expect(named.length).toBeGreaterThanOrEqual(7);
    const folder = `${monitoring}/grafana/dashboards`;
    for (const name of readdirSync(join(root, folder))) {
      const dashboard = JSON.parse(readFileSync(join(root, folder, name), "utf8"));
      // The list of alerts names its one by its name, which is its uid here.
      const uids = valuesOf(dashboard, new Set(["datasource"])).map((datasource) =>
        typeof datasource === "string" ? datasource : (datasource as { uid: string }).uid,
      );
      expect(uids.length, name).toBeGreaterThan(0);
      named.push(...uids.filter((uid) => uid !== "-- Grafana --" && uid !== "grafana"));
    }
    expect([...new Set(named)].filter((uid) => !byUid.has(uid))).toEqual([]);
  });

  test("are services of the stack, at the ports that these listen on", () => {
    const ports = {
      Prometheus: 9090,
      Tempo: yaml(`${monitoring}/tempo/tempo.yml`).server.http_listen_port,
      Loki: yaml(`${monitoring}/loki/loki.yml`).server.http_listen_port,
    };
    for (const [uid, port] of Object.entries(ports)) {
      expect(services).toHaveProperty(uid.toLowerCase());
      expect(byUid.get(uid).url).toBe(`http://${uid.toLowerCase()}:${port}`);
    }
  });

  test("lead from an exemplar to its trace, from there to lines and metrics, and from a line back", () => {
    const [exemplar] = byUid.get("Prometheus").jsonData.exemplarTraceIdDestinations;
    expect(exemplar).toMatchObject({ name: "trace_id", datasourceUid: "Tempo" });
    const tempo = byUid.get("Tempo").jsonData;
    expect(tempo.tracesToLogsV2).toMatchObject({ datasourceUid: "Loki", customQuery: true });
    expect(tempo.tracesToMetrics.datasourceUid).toBe("Prometheus");
    expect(tempo.serviceMap.datasourceUid).toBe("Prometheus");
    const [field] = byUid.get("Loki").jsonData.derivedFields;
    // A pattern over the line would find nothing: the ids are beside it.
    expect(field).toMatchObject({ matcherType: "label", matcherRegex: "trace_id", datasourceUid: "Tempo" });
  });

  test("keep Grafana from reading variables where a link has some", () => {
    const texts = readdirSync(join(root, provisioning)).map((name) =>
      readFileSync(join(root, provisioning, name), "utf8"),
    );
    for (const text of texts) expect(text).not.toMatch(/(?<!\$)\$(?!\$)/);
  });

  test("lead from any span of a run to all its traces and lines", () => {
    const span = {
      tags: [{ key: "a", value: "b" }, { key: "mlops.training.run.id", value: "0190-run" }, { key: "c" }],
    };
    const { correlations } = byUid.get("Tempo");
    expect(correlations.map(({ targetUID }: { targetUID: string }) => targetUID)).toEqual(["Tempo", "Loki"]);
    for (const { config } of correlations) {
      const [{ field, expression, mapValue }] = config.transformations;
      expect(new RegExp(expression).exec(JSON.stringify(span[field as "tags"]))?.[1]).toBe("0190-run");
      expect(JSON.stringify(config.target)).toContain(`$\${${mapValue}}`);
    }
  });
});
