import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { chartFolder } from "../../infra/helm/chart-files.ts";
import { root } from "./processes.ts";
import { type Manifest, ofKind, render } from "./rendered-chart.ts";

const folder = mkdtempSync(join(tmpdir(), "mlops-backend-upgrade-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What Kubernetes refuses to change, of objects that outlive an upgrade. */
const fixed = (manifests: Manifest[]): unknown[] =>
  manifests
    .filter(({ kind }) => ["Deployment", "Service", "PersistentVolumeClaim"].includes(kind))
    .map(({ kind, metadata, spec }) => ({
      is: `${kind} ${metadata.name}`,
      ...(kind === "Deployment" ? { selector: spec.selector } : {}),
      ...(kind === "Service" ? { clusterIP: spec.clusterIP } : {}),
      ...(kind === "PersistentVolumeClaim" ? spec : {}),
    }));

/** As version 0.1.0 made them. Never to be changed here: whoever has it installed could not upgrade. */
function of010(name: string, chart = "mlops-backend"): unknown[] {
  const selector = (role: string): object => ({
    matchLabels: {
      "app.kubernetes.io/name": chart,
      "app.kubernetes.io/instance": "release",
      "app.kubernetes.io/component": role,
    },
  });
  return [
    { is: `Service ${name}`, clusterIP: undefined },
    { is: `Service ${name}-metrics`, clusterIP: "None" },
    { is: `Deployment ${name}-api`, selector: selector("api") },
    { is: `Deployment ${name}-worker`, selector: selector("worker") },
  ];
}
const claimOf010 = {
  is: "PersistentVolumeClaim release-mlops-backend-files",
  accessModes: ["ReadWriteMany"],
  storageClassName: "nfs",
  resources: { requests: { storage: "20Gi" } },
};

test.each([
  ["minimal", of010("release-mlops-backend")],
  ["local-files", [claimOf010, ...of010("release-mlops-backend")]],
  ["complete", of010("mlops")],
])(
  "%s: an upgrade, to this version and from it, changes nothing that can't be changed",
  async (valuesFile, expected) => {
    const next = mkdtempSync(join(folder, "next-"));
    cpSync(join(root, chartFolder), next, { recursive: true });
    const chart = readFileSync(join(next, "Chart.yaml"), "utf8");
    writeFileSync(join(next, "Chart.yaml"), chart.replace(/^((app)?[vV]ersion): .*$/gm, "$1: 9.9.9"));
    const [before, after] = await Promise.all([
      render({ valuesFile }),
      render({ valuesFile, chart: next, values: { settings: { LOG_LEVEL: "debug" } } }),
    ]);
    expect(fixed(before)).toEqual(expected);
    expect(fixed(after)).toEqual(expected);
    const names = (manifests: Manifest[]): string[] =>
      manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names(after)).toEqual(names(before));
    // The pods are made anew, or the settings would reach nobody.
    const checksums = (manifests: Manifest[]): unknown =>
      ofKind(manifests, "Deployment", "-worker").spec.template.metadata.annotations["checksum/config"];
    expect(checksums(after)).not.toEqual(checksums(before));
  },
);

test("a rollout is not given up while its pods are allowed to start, or the old ones to go", async () => {
  const values = { api: { startupSeconds: 1800 }, worker: { shutdownGraceSeconds: 3600 } };
  const manifests = await render({ valuesFile: "minimal", values });
  for (const role of ["api", "worker"]) {
    const { progressDeadlineSeconds, template } = ofKind(manifests, "Deployment", `-${role}`).spec;
    const { containers, terminationGracePeriodSeconds } = template.spec;
    const { periodSeconds, failureThreshold } = containers[0].startupProbe;
    // Ten minutes more for what comes before: the image, a node, the migration.
    expect(progressDeadlineSeconds - periodSeconds * failureThreshold - terminationGracePeriodSeconds).toBe(600);
  }
});
