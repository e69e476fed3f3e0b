/**
 * `node infra/helm/check-manifests.ts RENDERED.yaml FOLDER`: custom resources are held to their operators' schemas here;
 * into FOLDER go `core.yaml`, for a checker that has Kubernetes' own schemas, `lasting.yaml`, the same without hooks, for one
 * that asks for probes, and `custom-resources.ts`, which compiles only when every field is one that the operators know.
 * Their schemas let unknown fields pass, and so does the API server, which drops them: a misspelt one would just not work.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ScaledObject, TriggerAuthentication } from "@kubernetes-models/keda/keda.sh/v1alpha1";
import { PrometheusRule, ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import { AlertmanagerConfig } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1alpha1";
import { parseAllDocuments, stringify } from "yaml";

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

const keda = "@kubernetes-models/keda/keda.sh/v1alpha1";
const operator = "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";

/** Those that the chart has; the constructors differ in what they take. */
const customResources: Readonly<Record<string, { readonly from: string; validate(manifest: never): void }>> = {
  ScaledObject: { from: keda, validate: (manifest) => new ScaledObject(manifest).validate() },
  TriggerAuthentication: { from: keda, validate: (manifest) => new TriggerAuthentication(manifest).validate() },
  ServiceMonitor: { from: operator, validate: (manifest) => new ServiceMonitor(manifest).validate() },
  PrometheusRule: { from: operator, validate: (manifest) => new PrometheusRule(manifest).validate() },
  AlertmanagerConfig: {
    from: `${operator}alpha1`,
    validate: (manifest) => new AlertmanagerConfig(manifest).validate(),
  },
};

const isOfOperator = ({ apiVersion }: Manifest): boolean => /^(keda\.sh|monitoring\.coreos\.com)\//.test(apiVersion);

function typed(manifest: Manifest, index: number): string {
  const { from } = customResources[manifest.kind]!;
  const type = `import("${from}").I${manifest.kind}`;
  return `export const manifest${index}: ${type} = ${JSON.stringify(manifest, null, 1)};\n`;
}

const [file, folder] = process.argv.slice(2);
if (file === undefined || folder === undefined) throw new Error("which file, and where to?");
const manifests = parseAllDocuments(readFileSync(file, "utf8"))
  .map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Manifest | null;
  })
  .filter((manifest) => manifest !== null);

const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
const twice = names.filter((name, index) => names.indexOf(name) !== index);
if (twice.length > 0) throw new Error(`there twice: ${twice.join(", ")}`);

const custom = manifests.filter(isOfOperator);
for (const manifest of custom) {
  const resource = customResources[manifest.kind];
  if (resource === undefined) throw new Error(`${manifest.kind} has no schema here`);
  try {
    resource.validate(manifest as never);
  } catch (error) {
    throw new Error(`${manifest.kind} ${manifest.metadata.name}`, { cause: error });
  }
}
mkdirSync(folder, { recursive: true });
const core = manifests.filter((manifest) => !isOfOperator(manifest));
const isHook = ({ metadata }: Manifest): boolean => metadata.annotations?.["helm.sh/hook"] !== undefined;
const yamlOf = (list: readonly Manifest[]): string =>
  list.map((manifest) => stringify(manifest, { version: "1.1", aliasDuplicateObjects: false })).join("---\n");
writeFileSync(join(folder, "core.yaml"), yamlOf(core));
writeFileSync(join(folder, "lasting.yaml"), yamlOf(core.filter((manifest) => !isHook(manifest))));
writeFileSync(join(folder, "custom-resources.ts"), custom.map(typed).join("\n"));
process.stdout.write(`${manifests.length} manifests, ${custom.length} of them custom resources\n`);
