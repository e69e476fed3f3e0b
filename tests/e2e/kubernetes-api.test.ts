import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chartFolder } from "../../infra/helm/chart-files.ts";
import { type KubernetesApi, startKubernetesApi } from "./kubernetes-api.ts";
import { root } from "./processes.ts";
import { type Manifest, render } from "./rendered-chart.ts";

// Six minutes of CPU to build, so only where somebody asks for it: CHECK_KUBERNETES=true in .ci/run.
const { KUBE_APISERVER_BIN: apiServer, ETCD_BIN: etcd } = process.env;
const namespace = "mlops";
const chart = join(root, chartFolder);

/** The operators' kinds, which take anything here: their own schemas are held to in .ci/run. */
const operatorKinds = [
  ["keda.sh", "v1alpha1", "ScaledObject"],
  ["keda.sh", "v1alpha1", "TriggerAuthentication"],
  ["monitoring.coreos.com", "v1", "ServiceMonitor"],
  ["monitoring.coreos.com", "v1", "PrometheusRule"],
  ["monitoring.coreos.com", "v1alpha1", "AlertmanagerConfig"],
] as const;

function definitionOf([group, version, kind]: (typeof operatorKinds)[number]): object {
  const singular = kind.toLowerCase();
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${singular}s.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind, singular, plural: `${singular}s` },
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  };
}

describe.runIf(apiServer !== undefined && etcd !== undefined)("a real API server", () => {
  const folder = mkdtempSync(join(tmpdir(), "mlops-backend-kubernetes-"));
  let kubernetes: KubernetesApi;

  beforeAll(async () => {
    kubernetes = await startKubernetesApi(join(folder, "api"), { apiServer: apiServer!, etcd: etcd! });
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    expect(
      await kubernetes.call("POST", "/api/v1/namespaces", { metadata: { name: namespace, labels } }),
    ).toMatchObject({ status: 201 });
    for (const kind of operatorKinds) {
      const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
      expect(await kubernetes.call("POST", path, definitionOf(kind))).toMatchObject({ status: 201 });
    }
  });
  afterAll(async () => {
    await kubernetes?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(["minimal", "local-files", "complete"])("%s: installed, upgraded, rolled back, removed", async (name) => {
    const next = join(folder, `next-${name}`);
    cpSync(chart, next, { recursive: true });
    const text = readFileSync(join(next, "Chart.yaml"), "utf8");
    writeFileSync(join(next, "Chart.yaml"), text.replace(/^((app)?[vV]ersion): .*$/gm, "$1: 9.9.9"));
    const values = ["--namespace", namespace, "-f", join(chart, "ci", `${name}.yaml`)];
    await kubernetes.helm("install", name, chart, ...values);
    await kubernetes.helm("upgrade", name, next, ...values, "--set-string", "settings.LOG_LEVEL=debug");
    await kubernetes.helm("rollback", name, "1", "--namespace", namespace);
    const history = JSON.parse(await kubernetes.helm("history", name, "--namespace", namespace, "-o", "json"));
    expect(history.map(({ status, app_version }: Manifest) => [status, app_version])).toEqual([
      ["superseded", "0.1.0"],
      ["superseded", "9.9.9"],
      ["deployed", "0.1.0"],
    ]);
    await kubernetes.helm("uninstall", name, "--namespace", namespace);
  });

  test("PodSecurity «restricted» admits every pod, and would not without its securityContext", async () => {
    const admit = (spec: object): ReturnType<KubernetesApi["call"]> =>
      kubernetes.call("POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All`, { metadata: { name: "pod" }, spec });
    for (const valuesFile of ["minimal", "local-files", "complete"]) {
      const manifests = await render({ valuesFile });
      const specs = manifests.flatMap(({ kind, spec }) =>
        kind === "Deployment" ? [spec.template.spec] : kind === "Pod" ? [spec] : [],
      );
      expect(specs).toHaveLength(3);
      for (const { priorityClassName: _none, ...spec } of specs) {
        expect(await admit(spec)).toMatchObject({ status: 201 });
        const { securityContext: _other, ...careless } = spec;
        expect(await admit(careless)).toMatchObject({
          status: 403,
          answer: { message: expect.stringContaining('violates PodSecurity "restricted') },
        });
      }
    }
  });
});
