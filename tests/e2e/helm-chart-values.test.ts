import { describe, expect, test } from "vitest";
import { chartSecrets } from "../../infra/helm/values-schema.ts";
import { telemetryVariables } from "../../otel/settings/telemetry-settings.ts";
import { environmentOf, type Manifest, notes, ofKind, render } from "./rendered-chart.ts";

describe("wrong values are refused, and what is wrong is named:", () => {
  test.each<[string, object, RegExp]>([
    ["a misspelt setting", { settings: { DATASET_TTL_DAY: "3" } }, /settings.*'DATASET_TTL_DAY' not allowed/],
    ["a number that would be mangled", { settings: { MAX_CSV_UPLOAD_BYTES: 10485760 } }, /want string/],
    [
      "what the chart sets itself",
      { worker: { settings: { SERVICE_ROLE: "all" } } },
      /worker\/settings.*'SERVICE_ROLE' not allowed/,
    ],
    ["a misspelt value", { api: { replica: 3 } }, /additional properties 'replica' not allowed/],
    ["no bucket", { storage: { s3: { bucket: "" } } }, /storage\/s3\/bucket/],
    ["a prefix that ends in /", { storage: { s3: { prefix: "production/" } } }, /storage\/s3\/prefix/],
    ["an unknown storage", { storage: { backend: "gcs" } }, /storage\/backend/],
    ["no worker", { worker: { autoscaling: { minReplicas: 0 } } }, /minReplicas.*minimum/s],
    ["scaling by a Prometheus that is nowhere", { worker: { autoscaling: { enabled: true } } }, /serverAddress/],
    ["a key that is not hashed", { secrets: { apiKeys: "anna:secret" } }, /secrets\/apiKeys/],
    ["an image by half a digest", { image: { digest: "sha256:abc" } }, /image\/digest/],
    ["memory in GB", { api: { resources: { limits: { memory: "2GB" } } } }, /limits\/memory/],
    ["an ingress without a host", { ingress: { enabled: true } }, /ingress\/hosts/],
    ["alerts to nobody", { monitoring: { alertmanagerConfig: { enabled: true } } }, /receivers/],
    ["no database", { secrets: { databaseUrl: "" } }, /secrets\.databaseUrl is missing/],
    ["no keys", { secrets: { apiKeys: "" } }, /secrets\.apiKeys is missing/],
    ["half of the storage's key", { secrets: { s3AccessKeyId: "id" } }, /go together/],
    [
      "two places for secrets",
      { secrets: { existingSecret: "mine", databaseUrl: "", apiKeys: "", otlpHeaders: "a=b" } },
      /secrets\.otlpHeaders beside it would not be used/,
    ],
    ["headers without a value", { secrets: { otlpHeaders: "Bearer abc" } }, /secrets\/otlpHeaders/],
    [
      "a password in an address",
      { api: { settings: { OTEL_EXPORTER_OTLP_ENDPOINT: "https://user:password@collector:4318" } } },
      /api\.settings\.OTEL_EXPORTER_OTLP_ENDPOINT has credentials/,
    ],
    ["fewer than least", { api: { autoscaling: { enabled: true, maxReplicas: 1 } } }, /api\.autoscaling\.maxReplicas/],
    [
      "rules and dashboards for metrics of another name",
      { settings: { PROMETHEUS__METRIC_NAMESPACE: "acme" }, monitoring: { dashboards: { enabled: true } } },
      /acme_backend_\*.*npm run monitoring:generate/,
    ],
  ])("%s", async (_name, values, message) => {
    await expect(render({ valuesFile: "minimal", values })).rejects.toThrow(message);
  });
});

const places = [
  ["settings", (settings: object) => ({ settings })],
  ["api.settings", (settings: object) => ({ api: { settings } })],
  ["worker.settings", (settings: object) => ({ worker: { settings } })],
] as const;

test.each(places)(
  "no secret gets into the ConfigMap or the environment by %s, and it is not told",
  async (place, at) => {
    for (const name of [...chartSecrets, "OTEL_EXPORTER_OTLP_HEADERS_FILE"]) {
      const refused = await render({ valuesFile: "minimal", values: at({ [name]: "s3cr3t" }) }).catch(String);
      expect(refused, name).toMatch(
        name.startsWith("OTEL_")
          ? `${place}.${name}: headers hold tokens, and settings are no place for secrets; give them as secrets.otlpHeaders`
          : new RegExp(`${place.replace(".", "/")}.*'${name}' not allowed`),
      );
      expect(refused).not.toContain("s3cr3t");
    }
  },
);

test("the chart's own Secret takes every secret, and the processes read it as files", async () => {
  const secrets = {
    metricsBearerToken: "scrape",
    s3AccessKeyId: "id",
    s3SecretAccessKey: "key",
    otlpHeaders: "authorization=Bearer%20abc",
    otlpTracesHeaders: "x-tenant=a",
    otlpLogsHeaders: "x-tenant=b",
    otlpMetricsHeaders: "x-tenant=c",
  };
  const manifests = await render({ valuesFile: "minimal", values: { secrets } });
  expect(Object.keys(ofKind(manifests, "Secret").stringData).toSorted()).toEqual(chartSecrets.toSorted());
  for (const role of ["api", "worker"]) {
    const env = environmentOf(manifests, role);
    for (const name of chartSecrets) {
      expect(env).not.toHaveProperty(name);
      expect(env[`${name}_FILE`]).toBe(`/run/secrets/mlops-backend/${name}`);
    }
  }
  const { volumes } = ofKind(manifests, "Deployment", "-worker").spec.template.spec;
  const { secret } = volumes.find(({ name }: Manifest) => name === "secrets");
  expect(secret.items.map(({ key }: Manifest) => key).toSorted()).toEqual(chartSecrets.toSorted());
});

test("a Secret of one's own is mounted by the keys that it has", async () => {
  const manifests = await render({ valuesFile: "complete" });
  expect(manifests.filter(({ kind }) => kind === "Secret")).toEqual([]);
  for (const role of ["api", "worker"]) {
    const { volumes } = ofKind(manifests, "Deployment", `-${role}`).spec.template.spec;
    const { secret } = volumes.find(({ name }: Manifest) => name === "secrets");
    expect(secret.secretName).toBe("mlops-secrets");
    expect(secret.items).toContainEqual({ key: "otlp-headers", path: "OTEL_EXPORTER_OTLP_HEADERS" });
    const env = environmentOf(manifests, role);
    expect(env.OTEL_EXPORTER_OTLP_HEADERS_FILE).toBe("/run/secrets/mlops-backend/OTEL_EXPORTER_OTLP_HEADERS");
    expect(env).not.toHaveProperty("OTEL_EXPORTER_OTLP_LOGS_HEADERS_FILE");
  }
});

describe("metrics that are switched off", () => {
  const off = [
    ["PROMETHEUS__ENABLED", "false"],
    ["OTEL_SDK_DISABLED", "true"],
    ["OTEL_METRICS_EXPORTER", "otlp, console"],
    ["OTEL_METRICS_EXPORTER", "none"],
    // As OpenTelemetry reads its booleans.
    ["OTEL_SDK_DISABLED", " True "],
  ] as const;
  const prometheus = { serverAddress: "http://prometheus:9090" };
  test.each(off)("%s=%j: what would ask for them is refused by name", async (name, value) => {
    const settings = { [name]: value };
    for (const [part, values] of [
      ["monitoring.serviceMonitor", { monitoring: { serviceMonitor: { enabled: true } } }],
      ["monitoring.prometheusRule", { monitoring: { prometheusRule: { enabled: true } } }],
      ["monitoring.annotations", { monitoring: { annotations: true } }],
      ["worker.autoscaling.source", { worker: { autoscaling: { enabled: true, prometheus } } }],
    ] as const) {
      const refused = await render({ valuesFile: "minimal", values: { settings, ...values } }).catch(String);
      expect(refused, part).toContain(`settings.${name} is "${value}": `);
      expect(refused).toContain(part);
    }
  });

  test.each(off)(
    "%s=%j: helm test does not look for them, and workers are scaled by the tables",
    async (name, value) => {
      const values = { monitoring: { annotations: false }, settings: { [name]: value } };
      const manifests = await render({ valuesFile: "local-files", values });
      expect(ofKind(manifests, "Pod").spec.containers[0].command.at(-3)).toBe("");
      expect(ofKind(manifests, "ScaledObject").spec.triggers[0].type).toBe("postgresql");
    },
  );

  test.each([
    { PROMETHEUS__ENABLED: "true" },
    { OTEL_SDK_DISABLED: "1" },
    { OTEL_SDK_DISABLED: "false" },
    { OTEL_METRICS_EXPORTER: "otlp, prometheus" },
  ])("%j leaves them on", async (settings) => {
    const manifests = await render({ valuesFile: "local-files", values: { settings } });
    expect(ofKind(manifests, "Pod").spec.containers[0].command.at(-3)).toMatch(/\/metrics$/);
  });
});

test("what both roles must agree on can't be set for one of them", async () => {
  const shared = [
    ...Object.keys(telemetryVariables),
    "OTEL_SDK_DISABLED",
    "OTEL_METRICS_EXPORTER",
    "AUTH__DISABLED",
    "DATASET_TTL_DAYS",
    "DATASET_TTL_CHECK_INTERVAL_SECONDS",
    "MAX_MODEL_ARTIFACTS",
    "TRAINING_TIMEOUT_SECONDS",
  ];
  for (const [index, name] of shared.entries()) {
    const role = index % 2 === 0 ? "api" : "worker";
    const values = { [role]: { settings: { [name]: "true" } } };
    await expect(render({ valuesFile: "minimal", values }), name).rejects.toThrow(
      `${role}.settings.${name}: both roles must have the same`,
    );
  }
  const own = { api: { settings: { LOG_LEVEL: "debug" } }, settings: { PROMETHEUS__CREATED: "true" } };
  const manifests = await render({ valuesFile: "minimal", values: own });
  expect(environmentOf(manifests, "api")).toMatchObject({ LOG_LEVEL: "debug", PROMETHEUS__CREATED: "true" });
  expect(environmentOf(manifests, "worker")).not.toHaveProperty("LOG_LEVEL");
});

test("the notes warn of what works only half, and of nothing where all is well", async () => {
  const warnings = async (valuesFile: string, values = {}): Promise<string[]> => {
    const paragraphs = (await notes({ valuesFile, values })).trim().split(/ ?\n\n/);
    return paragraphs.filter((text) => !/^(mlops-backend \d|The API|Is it well)/.test(text));
  };
  expect(await warnings("complete")).toEqual([]);
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.observability:4318" };
  expect(await warnings("minimal", { settings: endpoint, api: { replicas: 1 } })).toEqual([
    expect.stringMatching(/^Nothing scrapes it yet/),
    expect.stringMatching(/networkPolicy\.extraEgress/),
    expect.stringMatching(/^One api process/),
  ]);
  expect(await warnings("minimal", { settings: { ...endpoint, OTEL_SDK_DISABLED: "true" } })).toEqual([
    'Nothing to scrape: settings.OTEL_SDK_DISABLED is "true".',
  ]);
  const dashboards = { monitoring: { dashboards: { enabled: true } } };
  expect(await warnings("minimal", { ...dashboards, settings: { PROMETHEUS__ENABLED: "false" } })).toEqual([
    expect.stringContaining("The dashboards show traces and logs only."),
  ]);
});
