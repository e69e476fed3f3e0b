import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { batchOf, readOtlpSettings } from "../../../otel/settings/otlp-settings.ts";
import { readTelemetrySettings } from "../../../otel/settings/telemetry-settings.ts";
import { makeAuthority } from "../../support/certificates.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
const logs = (env: Record<string, string>) => readOtlpSettings(env, "logs");

test("logs are sent with either form of an endpoint, in batches of their own", () => {
  const defaults = {
    protocol: "http/protobuf",
    maxQueueSize: 2048,
    maxExportBatchSize: 512,
    scheduledDelayMillis: 1000,
    timeoutMillis: 10_000,
    limits: {},
  };
  expect(logs(endpoint)).toMatchObject({ settings: defaults, faults: [] });
  expect(logs({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "https://loki/otlp/v1/logs" }).settings).toEqual(defaults);
  const set = {
    OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: "http/json",
    OTEL_BLRP_MAX_QUEUE_SIZE: "100",
    OTEL_BSP_MAX_QUEUE_SIZE: "7",
  };
  expect(logs({ ...endpoint, ...set }).settings).toEqual({
    protocol: "http/json",
    maxQueueSize: 100,
    maxExportBatchSize: 100,
    scheduledDelayMillis: 1000,
    timeoutMillis: 10_000,
    limits: {},
  });
});

test("of two times for an export the shorter one counts, and of two limits that of the signal", () => {
  const set = {
    OTEL_BLRP_EXPORT_TIMEOUT: "7000",
    OTEL_BSP_EXPORT_TIMEOUT: "20000",
    OTEL_ATTRIBUTE_COUNT_LIMIT: "9",
    OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "80",
    OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: "3",
  };
  const { settings } = readTelemetrySettings({ ...endpoint, ...set });
  expect(settings.logs).toMatchObject({
    timeoutMillis: 7_000,
    limits: { attributeCountLimit: 3, attributeValueLengthLimit: 80 },
  });
  expect(settings.traces).toMatchObject({ timeoutMillis: 10_000, limits: { attributeCountLimit: 9 } });
});

test("gRPC is asked for to a host and a port, with headers that it can send", () => {
  const grpc = { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc", OTEL_TRACES_EXPORTER: "none" };
  const faultsOf = (env: Record<string, string>) => readTelemetrySettings({ ...grpc, ...env }).faults;
  for (const address of ["http://collector:4317", "https://collector:4317/"])
    expect(faultsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: address, OTEL_EXPORTER_OTLP_HEADERS: "X-Tenant=a%20b" })).toEqual(
      [],
    );
  expect(faultsOf({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "http://collector:4317/v1/logs" })).toEqual([
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT must be without a path: gRPC has its own, e.g. http://localhost:4317",
  ]);
  for (const headers of ["a!b=c", "token-bin=c", "a=%C3%BC"])
    expect(faultsOf({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers }), headers).toEqual([
      expect.stringMatching(/^OTEL_EXPORTER_OTLP_HEADERS or OTEL_EXPORTER_OTLP_LOGS_HEADERS has what gRPC can't send/),
    ]);
});

test("one signal can be without the other", () => {
  const both = (env: Record<string, string>) => {
    const { settings } = readTelemetrySettings(env);
    return [settings.traces !== undefined, settings.logs !== undefined];
  };
  expect(both({})).toEqual([false, false]);
  expect(both(endpoint)).toEqual([true, true]);
  expect(both({ ...endpoint, OTEL_LOGS_EXPORTER: "none" })).toEqual([true, false]);
  expect(both({ ...endpoint, OTEL_TRACES_EXPORTER: "none" })).toEqual([false, true]);
  expect(both({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "http://loki/otlp/v1/logs" })).toEqual([false, true]);
  expect(both({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: " " })).toEqual([false, false]);
});

test.each([
  ["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "loki:3100"],
  ["OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "thrift"],
  ["OTEL_LOGS_EXPORTER", "console"],
  // The exporter would put the path behind the blank, take the whole for no address, and send to localhost.
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318 "],
  ["OTEL_EXPORTER_OTLP_COMPRESSION", "deflate"],
  ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "GZIP"],
  ["OTEL_BLRP_MAX_QUEUE_SIZE", "0"],
  ["OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "1.5"],
  ["OTEL_BLRP_SCHEDULE_DELAY", "soon"],
])("%s=%s is refused by name", (name, value) => {
  expect(readTelemetrySettings({ ...endpoint, [name]: value }).faults).toEqual([
    expect.stringMatching(new RegExp(`^${name} must be `)),
  ]);
});

test("what both signals read is one fault", () => {
  const { faults } = readTelemetrySettings({
    OTEL_EXPORTER_OTLP_ENDPOINT: "collector",
    OTEL_EXPORTER_OTLP_PROTOCOL: "thrift",
  });
  expect(faults.map((fault) => fault.split(" ")[0])).toEqual([
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
  ]);
});

test("a processor waits for longer than its exporter tries, whatever time that is given", () => {
  for (const [env, timeoutMillis] of [
    [{}, 10_000],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: "60000" }, 60_000],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: "60000", OTEL_EXPORTER_OTLP_LOGS_TIMEOUT: "90000" }, 90_000],
  ] as const) {
    const { settings } = logs({ ...endpoint, ...env });
    expect(settings?.timeoutMillis).toBe(timeoutMillis);
    expect(batchOf(settings!).exportTimeoutMillis).toBeGreaterThan(timeoutMillis);
  }
  expect(logs({ ...endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: "10s" }).faults).toEqual([
    "OTEL_EXPORTER_OTLP_TIMEOUT must be a whole number from 1 to 2147483647",
  ]);
});

test("no time is longer than Node's timers, which take a longer one for a millisecond", () => {
  const longest = 2 ** 31 - 1;
  const names = [
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT",
    "OTEL_BLRP_EXPORT_TIMEOUT",
    "OTEL_BLRP_SCHEDULE_DELAY",
  ];
  const set = (value: number) => ({ ...endpoint, ...Object.fromEntries(names.map((name) => [name, String(value)])) });
  const { settings, faults } = logs(set(longest));
  expect(faults).toEqual([]);
  expect(batchOf(settings!)).toMatchObject({ exportTimeoutMillis: longest, scheduledDelayMillis: longest });
  expect(
    logs(set(longest + 1))
      .faults.map((fault) => fault.split(" ")[0])
      .sort(),
  ).toEqual(names.sort());
});

describe("certificates of the endpoint and ours", () => {
  const folder = mkdtempSync(join(tmpdir(), "otlp-certificates-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const authority = makeAuthority(folder, "authority");
  const [ours, other] = [authority.issue("ours"), authority.issue("other")];
  const faultsOf = (env: Record<string, string>): string[] => readTelemetrySettings({ ...endpoint, ...env }).faults;
  const own = {
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: ours.cert,
    OTEL_EXPORTER_OTLP_CLIENT_KEY: ours.key,
  };

  test("are taken where they are what they should be, for both signals or for one", () => {
    expect(faultsOf({ ...own, OTEL_EXPORTER_OTLP_CERTIFICATE: relative(process.cwd(), authority.cert) })).toEqual([]);
    const key = "OTEL_EXPORTER_OTLP_CLIENT_KEY";
    // What is for one signal hides what is for both.
    const perSignal = { [`${key.replace("CLIENT", "TRACES_CLIENT")}`]: ours.key, OTEL_LOGS_EXPORTER: "none" };
    expect(faultsOf({ ...own, [key]: "/nowhere", ...perSignal })).toEqual([]);
    expect(readTelemetrySettings({ OTEL_EXPORTER_OTLP_CERTIFICATE: "/nowhere" }).faults).toEqual([]);
    // Who switches it off, as a command elsewhere may, needs no file.
    expect(faultsOf({ OTEL_EXPORTER_OTLP_CERTIFICATE: "/nowhere", OTEL_SDK_DISABLED: "true" })).toEqual([]);
  });

  test("are looked for where the exporter looks, which takes a blank at the end for a part of the name", () => {
    for (const end of [" ", "\r"])
      expect(faultsOf({ OTEL_EXPORTER_OTLP_CERTIFICATE: `${authority.cert}${end}` })).toEqual([
        `OTEL_EXPORTER_OTLP_CERTIFICATE names a file that can't be read (ENOENT): ${authority.cert}${end}`,
      ]);
  });

  test.each(["", "TRACES_", "LOGS_"])("that can't be read are one fault each, with setting and path: %s", (signal) => {
    const [ca, cert, key] = ["CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"].map(
      (what) => `OTEL_EXPORTER_OTLP_${signal}${what}`,
    ) as [string, string, string];
    expect(faultsOf({ [ca]: "/nowhere/ca.pem", [cert]: folder, [key]: "keys/ours.pem" })).toEqual([
      `${ca} names a file that can't be read (ENOENT): /nowhere/ca.pem`,
      `${cert} names a file that can't be read (EISDIR): ${folder}`,
      `${key} names a file that can't be read (ENOENT): keys/ours.pem`,
    ]);
    expect(faultsOf({ [ca]: ours.key, [cert]: ours.cert, [key]: ours.cert })).toEqual([
      `${ca} names a file that holds no certificate in PEM form: ${ours.key}`,
      `${key} names a file that holds no private key without a passphrase in PEM form: ${ours.cert}`,
    ]);
    expect(faultsOf({ [cert]: ours.cert, [key]: other.key })).toEqual([
      `${key} is not the key of the certificate that ${cert} names`,
    ]);
    expect(faultsOf({ [cert]: ours.cert })).toEqual([
      `${cert} is set alone: a client certificate needs OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY`,
    ]);
  });

  test("a key in the place of its path is refused, and not shown", () => {
    const key = readFileSync(ours.key, "utf8");
    const base64 = key.replaceAll(/-----.*-----|\n/g, "");
    const coded = Buffer.from(key).toString("base64");
    const hex = Buffer.from(base64, "base64").toString("hex");
    const wrapped = [base64, coded].map((text) => text.replaceAll(/.{64}/g, "$&\n"));
    for (const content of [key, base64, coded, hex, ...wrapped, ` ${coded}`, `"${coded}"`])
      expect(faultsOf({ ...own, OTEL_EXPORTER_OTLP_CLIENT_KEY: content })).toEqual([
        "OTEL_EXPORTER_OTLP_CLIENT_KEY must be the path of a file, and not what stands in it",
      ]);
  });
});
