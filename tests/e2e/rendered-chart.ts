import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments, stringify } from "yaml";
import { chartFolder } from "../../infra/helm/chart-files.ts";
import { root } from "./processes.ts";

const execute = promisify(execFile);
const helmBinary = process.env.HELM_BIN ?? "helm";

/** A manifest of which a test knows what it asks for. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the chart renders; expectations say what it should be
export type Manifest = any;

interface Chart {
  /** One of the chart's ci/. */
  readonly valuesFile?: string;
  /** On top of it. */
  readonly values?: object;
  /** The same as YAML, the last one wins. */
  readonly texts?: readonly string[];
  readonly chart?: string;
}

/** What helm prints to that command. @throws Error with what helm says */
async function helm(
  command: readonly string[],
  { valuesFile, values = {}, texts = [stringify(values)], chart = join(root, chartFolder) }: Chart,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "mlops-backend-helm-"));
  try {
    const base = valuesFile === undefined ? [] : [join(root, chartFolder, "ci", `${valuesFile}.yaml`)];
    const more = texts.map((text, index) => {
      const path = join(folder, `values-${index}.yaml`);
      writeFileSync(path, text);
      return path;
    });
    const files = [...base, ...more].flatMap((path) => ["-f", path]);
    const { stdout } = await execute(helmBinary, [...command, "release", chart, "--namespace", "mlops", ...files], {
      env: {
        PATH: process.env.PATH,
        HELM_CACHE_HOME: folder,
        HELM_CONFIG_HOME: folder,
        HELM_DATA_HOME: folder,
      },
      maxBuffer: 64 * 1024 * 1024,
    }).catch((error: { stderr?: string }) => {
      throw new Error(error.stderr || String(error));
    });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `helm template` of the chart. @throws Error with what helm says */
export async function render(chart: Chart): Promise<Manifest[]> {
  return parseAllDocuments(await helm(["template"], chart))
    .map((document) => document.toJS() as Manifest)
    .filter((manifest) => manifest !== null);
}

/** What helm says after an install. */
export async function notes(chart: Chart): Promise<string> {
  return (await helm(["install", "--dry-run=client"], chart)).split("\nNOTES:\n")[1] ?? "";
}

export function ofKind(manifests: readonly Manifest[], kind: string, end = ""): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name.endsWith(end));
  if (found.length !== 1) throw new Error(`${found.length} of ${kind} …${end}`);
  return found[0];
}

/** What a role's process finds in its environment. */
export function environmentOf(manifests: readonly Manifest[], role: string): Record<string, string> {
  const [container] = ofKind(manifests, "Deployment", `-${role}`).spec.template.spec.containers;
  const [{ configMapRef }] = container.envFrom;
  const { data } = manifests.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === configMapRef.name);
  return { ...data, ...Object.fromEntries(container.env.map(({ name, value }: Manifest) => [name, value])) };
}
