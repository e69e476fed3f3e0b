import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readTelemetrySettings, telemetryVariables } from "../../../otel/settings/telemetry-settings.ts";
import type { Logger } from "../../../src/log.ts";
import { ConfigError, readConfig, secretNames, settings, tellUnreadNames } from "../../../src/settings/config.ts";
import { platformEnvironment } from "../../support/platform-environments.ts";

const ours = [
  ...Object.values(settings).map(({ env }) => env),
  ...secretNames.map((name) => `${name}_FILE`),
  ...Object.keys(telemetryVariables),
];

function faultsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults;
  }
}

function toldOf(env: Record<string, string>): string[] {
  const lines: string[] = [];
  tellUnreadNames({ warn: (line: string) => lines.push(line) } as unknown as Logger, env);
  return lines;
}

test.each([
  ["TRAINING_CONCURENCY", "TRAINING_CONCURRENCY"],
  ["TRAINING_CONCURRECNY", "TRAINING_CONCURRENCY"],
  ["training_concurrency", "TRAINING_CONCURRENCY"],
  ["DATASET_TTL_DAY", "DATASET_TTL_DAYS"],
  ["TTL_DAYS", "DATASET_TTL_DAYS"],
  ["DATASET_DAYS", "DATASET_TTL_DAYS"],
  ["MAX_UPLOAD_BYTES", "MAX_CSV_UPLOAD_BYTES"],
  ["MAXCSVUPLOADBYTES", "MAX_CSV_UPLOAD_BYTES"],
  ["DATABASE_URI", "DATABASE_URL"],
  ["DATABASE_MAX_CONNECTIONS", "DATABASE__MAX_CONNECTIONS"],
  ["S3_BUCKET", "S3__BUCKET"],
  ["AUTH_DISABLED", "AUTH__DISABLED"],
  ["API_KEY", "API_KEYS"],
  ["METRICS_TOKEN", "METRICS_BEARER_TOKEN"],
  ["METRICS_TOKEN_FILE", "METRICS_BEARER_TOKEN_FILE"],
  ["PROMETHEUS_ENABLED", "PROMETHEUS__ENABLED"],
  ["LOGLEVEL", "LOG_LEVEL"],
  ["SERVICE_PROT", "SERVICE_PORT"],
])("%s is refused, and %s named", (name, meant) => {
  expect(faultsOf({ [name]: "secret" })).toEqual([`${name} is not a setting of this service: is ${meant} meant?`]);
});

test("one or two letters away from a setting, or without one of its words, a name is refused", () => {
  const letter = fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  const edit = (text: fc.Arbitrary<string>, kinds: readonly string[]): fc.Arbitrary<string> =>
    fc.tuple(text, fc.nat(), letter, fc.constantFrom(...kinds)).map(([name, at, other, how]) => {
      const place = at % name.length;
      const [head, tail] = [name.slice(0, place), name.slice(place + 1)];
      if (how === "change") return `${head}${other}${tail}`;
      if (how === "add") return `${head}${other}${name.slice(place)}`;
      if (how === "leave out") return `${head}${tail}`;
      return `${head}${tail.slice(0, 1)}${name[place]}${tail.slice(1)}`;
    });
  const kinds = ["change", "add", "leave out"];
  const name = fc.constantFrom(...ours);
  const long = fc.constantFrom(...ours.filter((each) => each.length >= 10));
  const shortened = fc
    .tuple(fc.constantFrom(...ours.filter((each) => each.split(/_+/).length > 2)), fc.nat())
    .map(([each, place]) =>
      each
        .split(/_+/)
        .toSpliced(place % each.split(/_+/).length, 1)
        .join("_"),
    );
  fc.assert(
    fc.property(fc.oneof(edit(name, [...kinds, "swap"]), edit(edit(long, kinds), kinds), shortened), (wrong) => {
      fc.pre(!ours.includes(wrong) && !(wrong in platformEnvironment));
      // Without its family it is anybody's.
      fc.pre(!ours.some((each) => each.endsWith(`__${wrong}`)));
      expect(faultsOf({ [wrong]: "1" }).map((fault) => fault.split(" ")[0])).toEqual([wrong]);
    }),
    { numRuns: 200 },
  );
});

test("all of them are told together with the other faults", () => {
  expect(faultsOf({ DATASET_TTL_DAY: "1", TRAINING_CONCURENCY: "2", MAX_EMPTY_RATIO: "2", AUTH__X: "1" })).toHaveLength(
    4,
  );
});

test("nothing that a platform sets by itself is refused, nor anything that .env.example names", () => {
  const { PORT, HOST, ...others } = platformEnvironment;
  // Values such as «something» may be refused, names never.
  const refused = (env: Record<string, string | undefined>) =>
    faultsOf(env).filter((fault) => /not a setting/.test(fault));
  expect(refused(platformEnvironment)).toEqual([]);
  expect(toldOf(others)).toEqual([]);
  const example = readFileSync(new URL("../../../.env.example", import.meta.url), "utf8");
  // Also what is commented out there: whoever removes the # means it.
  const env = parseEnv(example.replaceAll(/^# (?=[A-Z0-9_]+=)/gm, ""));
  const filled = Object.fromEntries(Object.entries(env).filter(([name]) => !ours.includes(name)));
  expect(Object.keys(filled).length).toBeGreaterThan(40);
  expect([refused(filled), toldOf(filled as Record<string, string>)]).toEqual([[], []]);
});

test("what a platform may have set, though it looks meant, is told in one line", () => {
  expect(toldOf({ PORT: "3000", HOST: "0.0.0.0", OTEL_EXPORTER_OTLP_ENDPONT: "http://c:4318", HOME: "/" })).toEqual([
    "not read, though it looks meant: PORT (SERVICE_PORT?), HOST (SERVICE_HOST?), OTEL_EXPORTER_OTLP_ENDPONT (OTEL_EXPORTER_OTLP_ENDPOINT?)",
  ]);
  expect(toldOf({ SSL_CERT: "/etc/ssl/some.pem" })).toEqual([
    "not read, though it looks meant: SSL_CERT (DATABASE__SSL_CERT?)",
  ]);
  expect(toldOf({ PORT: "3000", SERVICE_PORT: "3000" })).toEqual([]);
  expect(toldOf({ PORT: "3000", SERVICE_PORT: "8000" })).toHaveLength(1);
});

test("of what others set for OpenTelemetry's tools and services nothing is said, and of what it sets for us what is not followed", () => {
  const { settings: telemetry } = readTelemetrySettings({});
  const toldWith = (env: Record<string, string>): string[] => {
    const lines: string[] = [];
    tellUnreadNames({ warn: (line: string) => lines.push(line) } as unknown as Logger, env, telemetry);
    return lines;
  };
  const ofOthers = {
    OTEL_RESOURCE_ATTRIBUTES_POD_NAME: "backend-0",
    OTEL_RESOURCE_ATTRIBUTES_NODE_NAME: "node-1",
    OTEL_INJECTOR_LOG_LEVEL: "info",
    OTEL_PYTHON_LOG_CORRELATION: "true",
    OTEL_LGTM_SERVICE_HOST: "10.0.0.11",
    OTEL_LGTM_PORT: "tcp://10.0.0.11:4318",
    OTEL_EXPORTER_PROMETHEUS_PORT: "tcp://10.0.0.11:9464",
  };
  expect(toldWith(ofOthers)).toEqual([]);
  expect(
    toldWith({ ...ofOthers, OTEL_LOG_LEVEL: "info", OTEL_BSP_SCHEDULE_DELAY: "1", OTEL_PROPAGATOR: "b3" }),
  ).toEqual([
    "not read, though it looks meant: OTEL_PROPAGATOR (OTEL_PROPAGATORS?); set, and without effect here: " +
      "OTEL_BSP_SCHEDULE_DELAY (no endpoint for traces is set, or OTEL_TRACES_EXPORTER is none); " +
      "OTEL_LOG_LEVEL (what telemetry says of itself is its errors and warnings, on stderr; LOG_LEVEL is for the log)",
  ]);
});

test("only secrets can stand in a file", () => {
  expect(faultsOf({ DATASET_TTL_DAYS_FILE: "/run/days" })).toEqual([
    "DATASET_TTL_DAYS_FILE is not a setting of this service: only secrets can stand in a file",
  ]);
});
