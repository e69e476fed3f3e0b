import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { headerNames, readOtlpHeaders } from "../../../otel/settings/otlp-headers.ts";
import { readTelemetrySettings } from "../../../otel/settings/telemetry-settings.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318", OTEL_METRICS_EXPORTER: "otlp" };
const secret = "s3cr3t";
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "otlp-headers-"));
  await writeFile(join(folder, "all"), `authorization=Bearer%20${secret}, x-tenant=a\n`);
  await writeFile(join(folder, "logs"), "x-tenant=b");
  await writeFile(join(folder, "empty"), " \n");
  await writeFile(join(folder, "wrong"), `Bearer ${secret}`);
});
afterAll(() => rm(folder, { recursive: true }));

test("a signal's own headers are laid over those of all, whether they stand in files or in the environment", () => {
  const inFiles = {
    OTEL_EXPORTER_OTLP_HEADERS_FILE: join(folder, "all"),
    OTEL_EXPORTER_OTLP_LOGS_HEADERS_FILE: join(folder, "logs"),
  };
  const inEnvironment = {
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${secret},x-tenant=a,`,
    OTEL_EXPORTER_OTLP_LOGS_HEADERS: "x-tenant=b",
  };
  const { OTEL_EXPORTER_OTLP_HEADERS_FILE } = inFiles;
  const { OTEL_EXPORTER_OTLP_LOGS_HEADERS } = inEnvironment;
  for (const env of [inFiles, inEnvironment, { OTEL_EXPORTER_OTLP_HEADERS_FILE, OTEL_EXPORTER_OTLP_LOGS_HEADERS }]) {
    const { settings, faults } = readTelemetrySettings({ ...endpoint, ...env });
    expect(faults).toEqual([]);
    expect(settings.traces?.headers).toEqual({ authorization: `Bearer ${secret}`, "x-tenant": "a" });
    expect(settings.logs?.headers).toEqual({ authorization: `Bearer ${secret}`, "x-tenant": "b" });
  }
  expect(readOtlpHeaders({}, "TRACES")).toEqual({ headers: undefined, faults: [] });
});

test("a file that can't be used is one fault for both signals, and none while nothing is sent", () => {
  const env = {
    OTEL_EXPORTER_OTLP_HEADERS_FILE: join(folder, "nowhere"),
    OTEL_EXPORTER_OTLP_TRACES_HEADERS_FILE: join(folder, "empty"),
    OTEL_EXPORTER_OTLP_LOGS_HEADERS_FILE: join(folder, "logs"),
    OTEL_EXPORTER_OTLP_LOGS_HEADERS: "a=b",
  };
  expect(readTelemetrySettings({ ...endpoint, ...env }).faults).toEqual([
    "OTEL_EXPORTER_OTLP_HEADERS_FILE names a file that can't be read (ENOENT)",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS_FILE names an empty file",
    "OTEL_EXPORTER_OTLP_LOGS_HEADERS_FILE and OTEL_EXPORTER_OTLP_LOGS_HEADERS are both set: keep one of them",
  ]);
  expect(readTelemetrySettings(env).faults).toEqual([]);
});

test.each([
  "Bearer s3cr3t",
  "authorization=",
  "=s3cr3t",
  "autho rization=s3cr3t",
  "authorization=%s3cr3t",
  "authorization=s3cr3t;a=b",
  "authorization=s3cr3t%0aa",
])("what could not be sent as it is meant is refused without being told: %s", (text) => {
  for (const name of headerNames) {
    const { faults } = readTelemetrySettings({ ...endpoint, [name]: text });
    expect(faults).toEqual([expect.stringMatching(new RegExp(`^${name} must be key=value pairs`))]);
    expect(faults.join()).not.toContain(secret);
  }
});

test("a file without pairs is refused by the name of its setting", () => {
  const { faults } = readTelemetrySettings({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS_FILE: join(folder, "wrong") });
  expect(faults).toEqual([expect.stringMatching(/^OTEL_EXPORTER_OTLP_HEADERS must be key=value pairs/)]);
});
