import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigError, readConfig, secretNames, settings } from "../../../src/settings/config.ts";

const secret = "hunter2-c0ffee";

/** Values that no setting may have, by name. */
const badValues: Record<string, readonly string[]> = {
  SERVICE_PORT: [" ", "0x50", "0b1", "many", "-1", "65536", "80.5", "NaN", "Infinity", "1e9"],
  SERVICE_ROLE: ["both", "ALL", "api "],
  DATABASE_URL: [`mysql://user:${secret}@host/db`, secret, ` postgres://u:${secret}@h/d`],
  STORAGE_BACKEND: ["S3", "gcs"],
  API_KEYS: [`anna:${secret}`, secret, `:${"0".repeat(64)}`, `anna:${"A".repeat(64)}`, `a b:${"0".repeat(64)}`],
  AUTH__DISABLED: ["1", "yes", "TRUE"],
  LOG_LEVEL: ["loud", "INFO"],
  MAX_CSV_UPLOAD_BYTES: ["0", "-1", "10MB", "1.5"],
  MIN_CSV_DATA_ROWS: ["0", "two"],
  MAX_EMPTY_RATIO: ["-0.1", "1.1", "50%"],
  MAX_CONCURRENT_UPLOADS: ["0", "1001"],
  UPLOAD_IDLE_TIMEOUT_SECONDS: ["0", "3601", "20s"],
  UPLOAD_MIN_BYTES_PER_SECOND: ["-1", "0.5", "1000001"],
  MAX_MODEL_ARTIFACTS: ["0", "x"],
  MAX_QUEUED_RUNS_PER_OWNER: ["0", "x"],
  MAX_STORAGE_BYTES_PER_OWNER: ["-1", "1GB"],
  TRAINING_CONCURRENCY: ["0", "65"],
  TRAINING_TIMEOUT_SECONDS: ["0", "10m", "86401"],
  SHUTDOWN_GRACE_SECONDS: ["-1", "3601"],
  DATASET_TTL_DAYS: ["-1", "36501", "month"],
  DATASET_TTL_CHECK_INTERVAL_SECONDS: ["0", "1.5", "1h"],
  DATASET_TTL_BATCH_LIMIT: ["0", "100001"],
  S3__REGION: [" "],
  S3__BUCKET: ["models ", " models"],
  SERVICE_HOST: [" ", "127.0.0.1 "],
  DATA_DIR: [" ", "/data\n"],
  METRICS_BEARER_TOKEN: [`${secret} `, `${secret}\n`],
  AUTH__ALLOWED_HOSTS: ["localhost:8000", "http://localhost", "*", "localhost,a b"],
  CORS__ALLOW_ORIGINS: [
    "*",
    "app.example",
    "https://app.example/",
    "https://app.example:443",
    "https://a.example,https://b.example/x",
  ],
  S3__ENDPOINT: ["localhost:9000", "http://h ", "ftp://h", `http://u:${secret}@h`, `https://h?X-Amz=${secret}`],
  S3__PREFIX: ["/a", "a/", "a//b", "a b", "ä"],
  S3__FORCE_PATH_STYLE: ["yes"],
  S3__PRESIGN_SECONDS: ["-1", "604801", "1h"],
  S3__PUBLIC_ENDPOINT: ["h", "s3://h"],
  S3__SERVER_SIDE_ENCRYPTION: ["kms", "aes256"],
  S3__CHECKSUM: ["MD5"],
  S3__MAX_ATTEMPTS: ["0", "21"],
  S3__TIMEOUT_SECONDS: ["0", "601"],
  S3__TIME_BUDGET_SECONDS: ["0", "x"],
  METRICS_PORT: [" ", "x", "65536"],
  PROMETHEUS__ENABLED: ["yes"],
  PROMETHEUS__METRICS_PATH: ["metrics", "/api/metrics"],
  PROMETHEUS__LATENCY_BUCKETS: ["[1]", "0.5"],
  PROMETHEUS__METRIC_NAMESPACE: ["1st"],
};
/** Names that nobody reads: of our families, misspelt, or with a word left out. */
const unknownNames = [
  "AUTH__DISABELD",
  "CORS__ORIGINS",
  "PROMETHEUS__ENABLE",
  "AUTH__",
  "S3__BUCKT",
  "S3__REGION_FILE",
  "TRAINING_CONCURENCY",
  "DATASET_TTL_DAY",
  "MAX_UPLOAD_BYTES",
  "LOG_LEVEL_FILE",
];

const bad = fc
  .subarray(Object.keys(badValues))
  .chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), fc.constantFrom(...badValues[name]!)))))
  .map((entries): Record<string, string> => Object.fromEntries(entries));
const unknown = fc
  .subarray(unknownNames)
  .map((names): Record<string, string> => Object.fromEntries(names.map((name) => [name, secret])));

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const fault of error.faults) expect(error.message).toContain(fault);
    expect(error.message).not.toContain(secret);
    expect(JSON.stringify(error)).not.toContain(secret);
    return error.faults;
  }
}

/** The variable that each fault is about: its first word. */
const namesIn = (faults: readonly string[]): string[] => faults.map((fault) => fault.split(/[ =]/)[0]!).sort();

test("every mixture of wrong values and unknown names is reported at once, each by its name, no secret told", () => {
  const secrets = { METRICS_BEARER_TOKEN: secret, CORS__ALLOW_ORIGINS: `https://${secret}`, UNRELATED: secret };
  fc.assert(
    fc.property(bad, unknown, (wrong, misspelt) => {
      const faults = faultsOf({ ...secrets, ...wrong, ...misspelt });
      expect(namesIn(faults)).toEqual([...Object.keys(wrong), ...Object.keys(misspelt)].sort());
    }),
    { numRuns: 300 },
  );
});

test("contradictions are reported together with what is wrong elsewhere", () => {
  const contradictory = {
    SERVICE_HOST: "0.0.0.0",
    SERVICE_ROLE: "worker",
    SERVICE_PORT: "9000",
    METRICS_PORT: "9000",
  };
  expect(namesIn(faultsOf(contradictory))).toEqual(["METRICS_PORT", "SERVICE_HOST", "SERVICE_ROLE"]);
  expect(namesIn(faultsOf({ ...contradictory, MAX_EMPTY_RATIO: "2", AUTH__X: "1" }))).toEqual([
    "AUTH__X",
    "MAX_EMPTY_RATIO",
    "METRICS_PORT",
    "SERVICE_HOST",
    "SERVICE_ROLE",
  ]);
  const s3 = { STORAGE_BACKEND: "s3", S3__ACCESS_KEY_ID: "key", S3__KMS_KEY_ID: "alias/mlops" };
  expect(namesIn(faultsOf({ ...s3, SERVICE_ROLE: "worker" }))).toEqual([
    "S3__BUCKET",
    "S3__KMS_KEY_ID",
    "S3__SECRET_ACCESS_KEY",
    "SERVICE_ROLE",
  ]);
  expect(namesIn(faultsOf({ S3__SECRET_ACCESS_KEY: secret }))).toEqual(["S3__ACCESS_KEY_ID"]);
  const encrypted = { S3__SECRET_ACCESS_KEY: secret, S3__BUCKET: "b", S3__SERVER_SIDE_ENCRYPTION: "aws:kms" };
  expect(faultsOf({ ...s3, ...encrypted })).toEqual([]);
  // What could not be read contradicts nothing: one fault, one line.
  expect(namesIn(faultsOf({ SERVICE_HOST: "0.0.0.0", API_KEYS: secret }))).toEqual(["API_KEYS"]);
});

describe("values", () => {
  test("what is set and right is what is read", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 65_535 }),
        fc.double({ min: 0, max: 36_500, noNaN: true }),
        fc.boolean(),
        fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9.]{0,9}$/), { minLength: 1, maxLength: 4 }),
        (port, days, isDisabled, hosts) => {
          const config = readConfig({
            SERVICE_PORT: String(port),
            DATASET_TTL_DAYS: String(days),
            AUTH__DISABLED: String(isDisabled),
            AUTH__ALLOWED_HOSTS: ` ${hosts.join(" , ")},`,
          });
          expect(config).toMatchObject({ port, authDisabled: isDisabled, allowedHosts: hosts });
          expect(config.datasetTtlDays).toBe(days + 0);
        },
      ),
    );
  });

  test("absent ones have their defaults, which are right themselves", () => {
    expect(readConfig({})).toMatchObject({ host: "127.0.0.1", port: 8000, role: "all", apiKeys: [] });
    for (const { env, fallback } of Object.values(settings)) expect(faultsOf({ [env]: fallback })).toEqual([]);
  });

  test("an empty value is none, whatever the setting: as if its line were not there", () => {
    const names = [...Object.values(settings).map(({ env }) => env), ...secretNames.map((name) => `${name}_FILE`)];
    for (const name of names) expect(readConfig({ [name]: "" }), name).toEqual(readConfig({}));
    expect(readConfig(Object.fromEntries(names.map((name) => [name, ""])))).toEqual(readConfig({}));
    // Of a name that nobody reads, too: nothing was to be set by it.
    expect(faultsOf({ AUTH__X: "", DATASET_TTL_DAY: "" })).toEqual([]);
  });
});

describe("a secret in a file", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "secret-files-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const file = async (text: string): Promise<string> => {
    const path = join(folder, randomUUID());
    await writeFile(path, text);
    return path;
  };

  test("is the same as in the environment, without white space at its ends", async () => {
    expect(secretNames).toEqual([
      "DATABASE_URL",
      "S3__ACCESS_KEY_ID",
      "S3__SECRET_ACCESS_KEY",
      "API_KEYS",
      "METRICS_BEARER_TOKEN",
    ]);
    const values: Record<string, string> = {
      DATABASE_URL: `postgres://u:${secret}@h/d`,
      S3__ACCESS_KEY_ID: "key",
      S3__SECRET_ACCESS_KEY: secret,
      API_KEYS: `anna:${"0".repeat(64)},ben:${"1".repeat(64)}`,
      METRICS_BEARER_TOKEN: secret,
    };
    const env: Record<string, string> = {};
    // Empty is what .env.example leaves behind: it says nothing.
    for (const name of secretNames)
      Object.assign(env, { [name]: "", [`${name}_FILE`]: await file(` ${values[name]}\n`) });
    expect(readConfig(env)).toEqual(readConfig(values));
    expect(readConfig({ METRICS_BEARER_TOKEN_FILE: "", METRICS_BEARER_TOKEN: "a" })).toMatchObject({
      metricsBearerToken: "a",
    });
  });

  test("that can't be read, is empty or stands beside its value is one fault each, and the content is never told", async () => {
    expect(
      faultsOf({
        DATABASE_URL_FILE: join(folder, "nowhere"),
        API_KEYS_FILE: await file(" \n"),
        METRICS_BEARER_TOKEN_FILE: await file(secret),
        METRICS_BEARER_TOKEN: secret,
        S3__ACCESS_KEY_ID_FILE: folder,
      }),
    ).toEqual([
      "DATABASE_URL_FILE names a file that can't be read (ENOENT)",
      "S3__ACCESS_KEY_ID_FILE names a file that can't be read (EISDIR)",
      "API_KEYS_FILE names an empty file",
      "METRICS_BEARER_TOKEN_FILE and METRICS_BEARER_TOKEN are both set: keep one of them",
    ]);
    const wrong = faultsOf({ DATABASE_URL_FILE: await file(`mysql://${secret}`), API_KEYS_FILE: await file(secret) });
    expect(namesIn(wrong)).toEqual(["API_KEYS", "DATABASE_URL"]);
  });
});

describe("a bind wider than this machine", () => {
  const key = `anna:${"0".repeat(64)}`;
  test.each([
    [{ SERVICE_HOST: "0.0.0.0" }, false],
    [{ SERVICE_HOST: "::" }, false],
    [{ SERVICE_HOST: "192.168.1.2" }, false],
    [{ SERVICE_HOST: "127.example.com" }, false],
    [{ SERVICE_HOST: "0.0.0.0", API_KEYS: key }, true],
    [{ SERVICE_HOST: "0.0.0.0", AUTH__DISABLED: "true" }, true],
    [{ SERVICE_HOST: "127.0.0.2" }, true],
    [{ SERVICE_HOST: "localhost" }, true],
    [{ SERVICE_HOST: "::1" }, true],
  ])("%j is taken: %s", (env, isTaken) => {
    expect(namesIn(faultsOf(env as Record<string, string>))).toEqual(isTaken ? [] : ["SERVICE_HOST"]);
  });
});
