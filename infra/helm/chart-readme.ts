import { isMap, isScalar, type Node, parseDocument, type YAMLMap } from "yaml";

/** A value of values.yaml without parts of its own. */
export interface ChartValue {
  /** e.g. `api.replicas` */
  readonly path: string;
  readonly fallback: unknown;
  /** Its comment, in one line. */
  readonly about: string;
}

/** Deeper in they are Kubernetes' own matter, or the user's. */
const wholes = ["requests", "limits", "labels", "metricsFrom"];

/** Comments as one line; indented ones are examples. */
function oneLine(...comments: (string | null | undefined)[]): string {
  return comments
    .flatMap((comment) => comment?.split("\n") ?? [])
    .filter((line) => !line.startsWith("  "))
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join(" ");
}

function valuesIn(map: YAMLMap, path: readonly string[]): ChartValue[] {
  return map.items.flatMap((pair, index) => {
    const key = pair.key as Node & { value: string };
    const value = pair.value as Node;
    const here = [...path, key.value];
    // The comment above a map's first key belongs to the map for the parser; above the first of all, to the document.
    const above = index === 0 ? map.commentBefore : key.commentBefore;
    if (isMap(value) && value.items.length > 0 && !wholes.includes(key.value)) return valuesIn(value, here);
    return [
      {
        path: here.join("."),
        fallback: isScalar(value) ? value.value : value.toJSON(),
        about: oneLine(above, isMap(value) ? undefined : value.comment),
      },
    ];
  });
}

/** Every value of the chart with its default and its comment. */
export function chartValues(valuesYaml: string): ChartValue[] {
  return valuesIn(parseDocument(valuesYaml).contents as unknown as YAMLMap, []);
}

const head = `<!-- Generated from values.yaml by npm run monitoring:generate. Do not edit. -->

# Chart mlops-backend

Api and worker processes on a PostgreSQL and an S3 bucket (or a volume that all share), with what it takes to watch and
scale them. How to install, upgrade, roll back and scale: [operations.md](../../../docs/operations.md#kubernetes).

\`\`\`sh
helm install mlops-backend infra/helm/mlops-backend --namespace mlops --create-namespace -f my-values.yaml
helm test mlops-backend --namespace mlops
\`\`\`

[ci/minimal.yaml](ci/minimal.yaml) is the least that runs, [ci/local-files.yaml](ci/local-files.yaml) does without S3 and
operators, [ci/complete.yaml](ci/complete.yaml) has everything switched on. Kubernetes 1.30 or newer.

| part | |
|---|---|
| Deployments \`…-api\`, \`…-worker\` | the two roles; each pod brings the tables up to date before it starts |
| Service, Ingress | the API, without \`/metrics\` |
| Service \`…-metrics\`, ServiceMonitor | \`/metrics\` of both roles, on a port of its own, also of pods that are not ready |
| PrometheusRule, dashboards, AlertmanagerConfig | copies of those in \`infra/monitoring\`, made by the same generator |
| ScaledObject, HorizontalPodAutoscaler | workers by the queue (KEDA), api by CPU |
| NetworkPolicy, PodDisruptionBudgets, ServiceAccount | who may reach whom, what a drain may take away, no token |
| ConfigMap, Secret | settings as environment, secrets as files |

Every pod is as PodSecurity \`restricted\` wants it, with a read-only root file system.

## Values

| value | default | |
|---|---|---|
`;

/** README.md of the chart. */
export function chartReadme(valuesYaml: string): string {
  const rows = chartValues(valuesYaml).map(
    ({ path, fallback, about }) =>
      `| \`${path}\` | \`${JSON.stringify(fallback)}\` | ${about.replaceAll("|", "\\|")} |`,
  );
  return `${head}${rows.join("\n")}\n`;
}
