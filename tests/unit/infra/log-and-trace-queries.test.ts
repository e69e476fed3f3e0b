import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { generatedFiles } from "../../../infra/monitoring/generate/generate.ts";
import { lintLogql } from "../../../infra/monitoring/queries/lint-logql.ts";
import { lintTraceql } from "../../../infra/monitoring/queries/lint-traceql.ts";
import { knownLines, knownSpans, writtenFields } from "../../support/known-telemetry.ts";

const root = join(import.meta.dirname, "../../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const ofService = '{service_name="mlops-backend"}';

test("what a line says is read from the calls that write it", () => {
  expect(writtenFields).toEqual(
    expect.arrayContaining(["run_id", "request_id", "code", "durationSeconds", "route", "jobId"]),
  );
  expect(knownLines.labels).toEqual(new Set(["service_name", "deployment_environment_name"]));
  expect(knownLines.fields).toContain("exception_message");
});

describe("a query of Loki with", () => {
  test.each([
    [`{servicename="x"} | run_id="1"`, "servicename"],
    [`{level="warn"}`, "{level}: no label"],
    [`${ofService} | runid="1"`, "runid: no line"],
    [`${ofService} | duration > 0.5`, "duration: no line"],
    [`${ofService} | detected_level="warning"`, "never warning"],
    [`${ofService} | json | code="X"`, "the message alone"],
    [`sum by (error) (count_over_time(${ofService} [$__auto]))`, "error: no line"],
    [`${ofService} | line_format \`{{.runId}}\``, "runId: no line"],
    [`sum(count_over_time(${ofService})`, "not LogQL"],
    [`{deployment_environment_name="production"}`, "lacks service_name"],
  ])("a fault is found: %s", (query, fault) => expect(lintLogql(query, knownLines).join("; ")).toContain(fault));
});

describe("a query of Tempo with", () => {
  test.each([
    ['{ resource.service.name = "x" && span.http.url = "y" }', "span.http.url: nothing says it"],
    ['{ resource.service.name = "x" && resource.host.name = "y" }', "resource.host.name"],
    ['{ resource.service.name = "x" && .http.route = "y" }', ".http.route: nothing says it"],
    ['{ resource.service.name = "x" && name = "training" }', "no such span"],
    ['{ resource.service.name = "x" && kind = servre }', "not TraceQL"],
    ["{ status = error }", "every service"],
  ])("a fault is found: %s", (query, fault) => expect(lintTraceql(query, knownSpans).join("; ")).toContain(fault));
});

interface Target {
  readonly expr?: string;
  readonly query?: string;
  readonly datasource?: { readonly type?: string };
}
const targetsOf = (part: unknown): Target[] => {
  if (typeof part !== "object" || part === null) return [];
  return [part as Target, ...Object.values(part).flatMap(targetsOf)];
};

test.each([...generatedFiles()].filter(([path]) => path.includes("/grafana/dashboards/")))(
  "sound are the queries of Loki and Tempo in %s",
  (path, text) => {
    const targets = targetsOf(JSON.parse(text));
    const asked = { loki: [] as string[], tempo: [] as string[] };
    for (const { expr, query, datasource } of targets) {
      if (datasource?.type === "loki" && expr !== undefined) asked.loki.push(expr);
      if (datasource?.type === "tempo" && query !== undefined) asked.tempo.push(query);
    }
    for (const query of asked.loki) expect(lintLogql(query, knownLines), query).toEqual([]);
    for (const query of asked.tempo) expect(lintTraceql(query, knownSpans), query).toEqual([]);
    const expected: Record<string, [number, number]> = { http: [2, 0], training: [2, 0], traces: [8, 4] };
    const name = /mlops-backend-(\w+)\.json$/.exec(path)?.[1] ?? "";
    expect([asked.loki.length, asked.tempo.length]).toEqual(expected[name] ?? [0, 0]);
  },
);

test.each(
  globSync("docs/**/*.md", { cwd: root }).flatMap((path) =>
    [...read(path).matchAll(/^```(logql|traceql)\n([\s\S]*?)^```/gm)].flatMap(([, language, block = ""]) =>
      block
        .trim()
        .split("\n")
        .map((query) => [path, language, query] as const),
    ),
  ),
)("%s: sound is the %s %s", (_path, language, query) => {
  expect(language === "logql" ? lintLogql(query, knownLines) : lintTraceql(query, knownSpans)).toEqual([]);
});
