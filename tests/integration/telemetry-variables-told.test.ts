import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openTelemetryNames } from "../../otel/settings/variables/all-variables.ts";
import { refusedStart, withService } from "../support/service.ts";
import { warningsOf } from "../support/warnings-of.ts";

const folder = mkdtempSync(join(tmpdir(), "telemetry-variables-told-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("while nothing is sent, all that needs it is named in one line, with what does nothing at all; misspelt names are asked about", async () => {
  const env = {
    ...Object.fromEntries(openTelemetryNames.map((name) => [name, "something"])),
    OTEL_TRACES_EXPORTER: "none",
    OTEL_LOGS_EXPORTER: "none",
    OTEL_METRICS_EXPORTER: "none",
    OTEL_RESOURCE_ATTRIBUTES: "host.name=x",
    OTEL_METRICS_EXEMPLAR_FILTER: "trace_based",
    OTEL_EXPORTER_OTLP_ENDPONT: "http://collector:4318",
    OTEL_SOMETHING_ELSE: "1",
    OTEL_RESOURCE_ATTRIBUTES_POD_NAME: "walk-0",
  };
  await withService(env, async (service) => {
    const [line = "", ...others] = warningsOf(service);
    expect(others).toEqual([]);
    expect(line).toMatch(
      /^not read, though it looks meant: OTEL_EXPORTER_OTLP_ENDPONT \(OTEL_EXPORTER_OTLP_ENDPOINT\?\); set, and without effect here: /,
    );
    expect(line).toContain("OTEL_SOMETHING_ELSE (not a variable of OpenTelemetry's SDK)");
    expect(line).not.toContain("POD_NAME");
    const withoutReasons = line.replaceAll(/\([^)]*\)/g, ",");
    const named = openTelemetryNames.filter((name) => new RegExp(`[ ,]${name}[ ,]`).test(withoutReasons));
    const always = ["OTEL_SERVICE_NAME", "OTEL_METRICS_EXPORTER", "OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER"];
    expect(named).toEqual(openTelemetryNames.filter((name) => !always.includes(name)));
  });
});

test("what says wrongly where telemetry goes, or how, ends the start, and all of it is told together", async () => {
  const wrong: Record<string, string> = {
    OTEL_TRACES_EXPORTER: "zipkin",
    OTEL_LOGS_EXPORTER: "console",
    OTEL_METRICS_EXPORTER: "statsd",
    OTEL_METRICS_EXEMPLAR_FILTER: "sometimes",
    OTEL_EXPORTER_PROMETHEUS_PORT: "http",
    OTEL_EXPORTER_OTLP_PROTOCOL: "thrift",
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "udp",
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "collector:4318",
    OTEL_EXPORTER_OTLP_COMPRESSION: "zstd",
    OTEL_EXPORTER_OTLP_TIMEOUT: "10s",
    OTEL_EXPORTER_OTLP_HEADERS: "secret",
    OTEL_EXPORTER_OTLP_CERTIFICATE: "/nowhere/ca.pem",
    OTEL_TRACES_SAMPLER: "jaeger_remote",
    OTEL_BSP_EXPORT_TIMEOUT: "-1",
    OTEL_BLRP_MAX_QUEUE_SIZE: "0",
    OTEL_SPAN_EVENT_COUNT_LIMIT: "many",
    OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: "1.5",
  };
  const { code, stderr } = await refusedStart(
    { dataDir: join(folder, "refused"), databaseUrl: "" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", ...wrong },
  );
  expect(code).toBe(2);
  const named = stderr.split("\n").flatMap((line) => /^ {2}- (OTEL_\w+) /.exec(line)?.[1] ?? []);
  expect(named.toSorted()).toEqual(Object.keys(wrong).toSorted());
  expect(stderr).not.toContain("secret");
  const delta = { OTEL_METRICS_EXPORTER: "otlp", OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "delta" };
  const refused = await refusedStart({ dataDir: join(folder, "refused"), databaseUrl: "" }, delta);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("a collector can make deltas of it") });
});
