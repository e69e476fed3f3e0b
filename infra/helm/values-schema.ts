import { headerNames } from "../../otel/settings/otlp-headers.ts";
import { telemetryVariables } from "../../otel/settings/telemetry-settings.ts";
import { secretNames, settings } from "../../src/settings/config.ts";

/** What the chart keeps in a Secret, under `secrets`. */
export const chartSecrets: readonly string[] = [...secretNames, ...headerNames];

/** Set by the chart, from values that say more than text can, or mounted as secrets: not to be set beside them. */
const setByChart = [
  "SERVICE_HOST",
  "SERVICE_PORT",
  "SERVICE_ROLE",
  "METRICS_PORT",
  "DATA_DIR",
  "STORAGE_BACKEND",
  "SHUTDOWN_GRACE_SECONDS",
  "TRAINING_CONCURRENCY",
  "S3__BUCKET",
  "S3__REGION",
  "S3__ENDPOINT",
  "S3__PREFIX",
  "S3__FORCE_PATH_STYLE",
  "S3__PRESIGN_SECONDS",
  "S3__PUBLIC_ENDPOINT",
  "S3__SERVER_SIDE_ENCRYPTION",
  ...chartSecrets,
];

/** What `settings` may name: each setting of the service that is not the chart's own matter. */
function settingNames(): string[] {
  const all = [...Object.values(settings).map(({ env }) => env as string), ...Object.keys(telemetryVariables)];
  return all.filter((name) => !setByChart.includes(name)).sort();
}

type Schema = Readonly<Record<string, unknown>>;

const object = (properties: Readonly<Record<string, Schema>>, more: Schema = {}): Schema => ({
  type: "object",
  additionalProperties: false,
  properties,
  ...more,
});
const text: Schema = { type: "string" };
const filled: Schema = { type: "string", minLength: 1 };
const boolean: Schema = { type: "boolean" };
const whole = (minimum: number, maximum?: number): Schema => ({
  type: "integer",
  minimum,
  ...(maximum === undefined ? {} : { maximum }),
});
const seconds = whole(1, 3600);
const port = whole(1, 65_535);
const list = (items: Schema, more: Schema = {}): Schema => ({ type: "array", items, ...more });
const anyObject: Schema = { type: "object" };
const texts: Schema = { type: "object", additionalProperties: text };
const oneOf = (...values: string[]): Schema => ({ enum: values });
const matching = (pattern: string): Schema => ({ type: "string", pattern });
/** Kubernetes' own notation; `2GB` is one of the usual mistakes. */
const quantity = matching("^[0-9]+(\\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$");
const duration = matching("^([0-9]+(ms|s|m|h))+$");
const httpUrl = matching("^(https?://[^\\s/]+(/\\S*)?)?$");
/** `if` these values, `then` that as well. */
const when = (condition: Schema, then: Schema): Schema => ({ if: condition, then });
const has = (properties: Readonly<Record<string, Schema>>): Schema => ({
  properties,
  required: Object.keys(properties),
});

/**
 * Text only: YAML's numbers reach a template as floats, 10485760 as 1.048576e+07. Headers of OpenTelemetry are refused by
 * the chart's own check, which can say where they belong.
 */
const serviceSettings: Schema = {
  type: "object",
  properties: Object.fromEntries([...settingNames(), "NODE_OPTIONS"].map((name) => [name, text])),
  patternProperties: { "^OTEL_[A-Z_]+$": text },
  additionalProperties: false,
};

const resourceList = object({ cpu: quantity, memory: quantity, "ephemeral-storage": quantity });
const budget = object({ enabled: boolean, maxUnavailable: { anyOf: [whole(1), matching("^[0-9]+%$")] } });

/** What both roles have. */
const pod: Readonly<Record<string, Schema>> = {
  replicas: whole(1),
  settings: serviceSettings,
  // As SHUTDOWN_GRACE_SECONDS.
  shutdownGraceSeconds: { type: "number", minimum: 0, maximum: 3600 },
  startupSeconds: whole(5, 3600),
  resources: object({ requests: resourceList, limits: resourceList }),
  podDisruptionBudget: budget,
  podAnnotations: texts,
  podLabels: texts,
  nodeSelector: texts,
  tolerations: list(anyObject),
  affinity: anyObject,
  priorityClassName: text,
};

const workerScaling = object(
  {
    enabled: boolean,
    source: oneOf("prometheus", "postgresql"),
    // Without a worker no dataset expires and no profile is made.
    minReplicas: whole(1),
    maxReplicas: whole(1),
    runsPerWorker: whole(1),
    oldestWaitSeconds: whole(1),
    pollingIntervalSeconds: seconds,
    scaleDownWindowSeconds: whole(0, 3600),
    fallbackReplicas: whole(1),
    prometheus: object({ serverAddress: httpUrl, authenticationRef: text, authModes: text }),
  },
  when(
    has({ enabled: { const: true }, source: { const: "prometheus" } }),
    has({ prometheus: has({ serverAddress: filled }) }),
  ),
);

const storage = object(
  {
    backend: oneOf("s3", "local"),
    s3: object({
      bucket: matching("^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$"),
      region: text,
      endpoint: httpUrl,
      // As S3__PREFIX: no / at its ends.
      prefix: matching("^([\\w.-]+(/[\\w.-]+)*)?$"),
      forcePathStyle: boolean,
      // Signatures of version 4 are good for seven days at most.
      presignSeconds: whole(0, 604_800),
      publicEndpoint: httpUrl,
      serverSideEncryption: oneOf("", "AES256", "aws:kms"),
    }),
    local: object({ existingClaim: text, storageClassName: text, size: quantity }),
    scratchSize: quantity,
  },
  when(has({ backend: { const: "s3" } }), has({ s3: has({ bucket: filled }) })),
);

/** key=value pairs, as the service reads them. */
const otlpHeaders = matching("^([^=,]+=[^,;]+(,|$))*$");

const secrets = object({
  existingSecret: text,
  existingKeys: object({
    databaseUrl: text,
    apiKeys: text,
    metricsBearerToken: text,
    s3AccessKeyId: text,
    s3SecretAccessKey: text,
    otlpHeaders: text,
    otlpTracesHeaders: text,
    otlpLogsHeaders: text,
    otlpMetricsHeaders: text,
  }),
  databaseUrl: matching("^(postgres(ql)?://.+)?$"),
  apiKeys: matching("^([A-Za-z0-9_.-]{1,64}:[0-9a-f]{64}(,|$))*$"),
  metricsBearerToken: text,
  s3AccessKeyId: text,
  s3SecretAccessKey: text,
  otlpHeaders,
  otlpTracesHeaders: otlpHeaders,
  otlpLogsHeaders: otlpHeaders,
  otlpMetricsHeaders: otlpHeaders,
});

const monitoring = object({
  port,
  // As it stands in expressions, between quotes.
  job: matching("^[A-Za-z0-9_./-]+$"),
  annotations: boolean,
  serviceMonitor: object({
    enabled: boolean,
    labels: texts,
    interval: duration,
    scrapeTimeout: duration,
    sampleLimit: whole(1),
  }),
  prometheusRule: object({ enabled: boolean, labels: texts, skip: list(filled) }),
  dashboards: object({ enabled: boolean, labels: texts, annotations: texts, datasourceUid: filled }),
  alertmanagerConfig: object(
    {
      enabled: boolean,
      labels: texts,
      receivers: list({ type: "object", ...has({ name: filled }) }),
      receiverOf: object({ critical: text, warning: text, ticket: text, none: text }),
    },
    when(has({ enabled: { const: true } }), has({ receivers: { minItems: 1 } })),
  ),
});

/** The chart's values.schema.json: what is misspelt or of the wrong kind is refused before anything reaches a cluster. */
export const valuesSchema: Schema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  $comment: "Generated from infra/helm/values-schema.ts by npm run monitoring:generate. Do not edit.",
  ...object({
    // Helm's own, for charts that have this one as a part.
    global: anyObject,
    image: object({
      repository: filled,
      tag: text,
      digest: matching("^(sha256:[0-9a-f]{64})?$"),
      pullPolicy: oneOf("Always", "IfNotPresent", "Never"),
    }),
    imagePullSecrets: list(object({ name: filled })),
    nameOverride: text,
    fullnameOverride: text,
    settings: serviceSettings,
    secrets,
    caCertificates: object({ configMap: text, key: filled }),
    storage,
    api: object({
      ...pod,
      preStopSleepSeconds: whole(0, 60),
      autoscaling: object({
        enabled: boolean,
        minReplicas: whole(1),
        maxReplicas: whole(1),
        targetCpuUtilizationPercentage: whole(1),
      }),
    }),
    worker: object({ ...pod, trainingConcurrency: whole(1, 64), autoscaling: workerScaling }),
    serviceAccount: object({ create: boolean, name: text, annotations: texts }),
    service: object({ type: oneOf("ClusterIP", "NodePort", "LoadBalancer"), port, annotations: texts }),
    ingress: object(
      { enabled: boolean, className: text, annotations: texts, hosts: list(filled), tls: list(anyObject) },
      when(has({ enabled: { const: true } }), has({ hosts: { minItems: 1 } })),
    ),
    networkPolicy: object({
      enabled: boolean,
      apiFrom: list(anyObject),
      metricsFrom: list(anyObject),
      postgresPort: port,
      s3Ports: list(port),
      extraEgress: list(anyObject),
    }),
    monitoring,
  }),
};
