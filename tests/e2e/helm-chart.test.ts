import { execFile } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { chartFolder } from "../../infra/helm/chart-files.ts";
import { dashboardUids } from "../../infra/monitoring/dashboards/dashboard-list.ts";
import { knownSeries } from "../../infra/monitoring/queries/known-series.ts";
import { lintPromql } from "../../infra/monitoring/queries/lint-promql.ts";
import { ruleGroups } from "../../infra/monitoring/rules/rule-files.ts";
import { defaultPrefix } from "../../otel/api/catalogue/metric-names.ts";
import { readConfig } from "../../src/settings/config.ts";
import { freePort } from "../support/free-port.ts";
import { root, startService } from "./processes.ts";
import { environmentOf, type Manifest, ofKind, render } from "./rendered-chart.ts";

const execute = promisify(execFile);
const promtool = process.env.PROMTOOL_BIN ?? "promtool";
const folder = mkdtempSync(join(tmpdir(), "mlops-backend-chart-"));
const resources = new AsyncDisposableStack();
afterAll(async () => {
  await resources.disposeAsync();
  rmSync(folder, { recursive: true });
});
const valuesFiles = ["minimal", "local-files", "complete"];
const podSpecs = (manifests: Manifest[]): Manifest[] =>
  manifests.filter(({ kind }) => kind === "Deployment").map(({ spec }) => spec.template.spec);

describe.each(valuesFiles)("%s", (valuesFile) => {
  test("the processes are killed only after their grace, and have the memory that their work needs", async () => {
    const manifests = await render({ valuesFile });
    for (const role of ["api", "worker"]) {
      const { terminationGracePeriodSeconds, containers, volumes } = ofKind(manifests, "Deployment", `-${role}`).spec
        .template.spec;
      const [{ lifecycle, resources: given }] = containers;
      const { shutdownGraceSeconds, trainingConcurrency } = readConfig({
        SHUTDOWN_GRACE_SECONDS: environmentOf(manifests, role).SHUTDOWN_GRACE_SECONDS,
        TRAINING_CONCURRENCY: environmentOf(manifests, role).TRAINING_CONCURRENCY,
      });
      const pauseSeconds = lifecycle?.preStop.sleep.seconds ?? 0;
      // docs/operations.md, «Start and stop»: what is killed earlier may leave a training to be found.
      expect(terminationGracePeriodSeconds).toBeGreaterThanOrEqual(pauseSeconds + shutdownGraceSeconds + 20);
      // docs/operations.md, capacity: after the start, DuckDB for checks; and for each training heap and DuckDB.
      const neededMib = 210 + 512 + (role === "worker" ? trainingConcurrency * (1024 + 512) : 0);
      expect(mib(given.limits.memory)).toBeGreaterThanOrEqual(neededMib);
      // Beyond it the pod is evicted, whatever its volumes could hold.
      const scratchMib = mib(volumes.find(({ name }: Manifest) => name === "data").emptyDir?.sizeLimit ?? "0Mi");
      expect(mib(given.limits["ephemeral-storage"])).toBeGreaterThan(scratchMib);
    }
  });

  test("every container is as PodSecurity «restricted» wants it", async () => {
    const manifests = await render({ valuesFile });
    const pods = [...podSpecs(manifests), ofKind(manifests, "Pod").spec];
    expect(pods).toHaveLength(3);
    for (const { securityContext, containers, initContainers = [], automountServiceAccountToken, volumes } of pods) {
      expect(automountServiceAccountToken).toBe(false);
      expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      for (const container of [...containers, ...initContainers]) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
      }
      for (const volume of volumes ?? [])
        expect(Object.keys(volume)).toEqual([
          "name",
          expect.stringMatching(/^(emptyDir|secret|configMap|persistentVolumeClaim)$/),
        ]);
    }
  });
});

const mib = (quantity: string): number => {
  const [, number, unit] = /^(\d+)(Mi|Gi)$/.exec(quantity) ?? [];
  return Number(number) * (unit === "Gi" ? 1024 : 1);
};

test("both roles accept the settings that they get", async () => {
  const manifests = await render({ valuesFile: "local-files" });
  for (const role of ["api", "worker"]) {
    const env = environmentOf(manifests, role);
    // What the files hold.
    for (const name of ["DATABASE_URL", "API_KEYS"]) {
      expect(env[`${name}_FILE`]).toBe(`/run/secrets/mlops-backend/${name}`);
      delete env[`${name}_FILE`];
    }
    expect(readConfig({ ...env, DATABASE_URL: "postgres://a@b/c", API_KEYS: `anna:${"0".repeat(64)}` })).toMatchObject({
      role,
      host: "0.0.0.0",
      metricsPort: 9464,
      dataDir: "/data",
      storageBackend: "local",
    });
  }
});

describe("monitoring", () => {
  test("the rules are those of Prometheus' files, for the job of this deployment, with its namespace on alerts", async () => {
    const { groups } = ofKind(await render({ valuesFile: "complete" }), "PrometheusRule").spec;
    const expected = [...ruleGroups({ prefix: defaultPrefix, timeScale: 1 }).values()].flat();
    const text = JSON.stringify(expected).replaceAll('job=\\"backend\\"', 'job=\\"mlops-production\\"');
    const byName = (list: Manifest[]): Manifest[] => list.toSorted((a, b) => a.name.localeCompare(b.name));
    const without = (list: Manifest[]): Manifest[] =>
      list.map((group) => ({
        ...group,
        rules: group.rules.map(({ labels: { namespace, ...labels } = {} as Manifest, ...rule }: Manifest) => {
          expect(namespace).toBe(rule.alert === undefined ? undefined : "mlops");
          return Object.keys(labels).length === 0 ? rule : { ...rule, labels };
        }),
      }));
    expect(byName(without(groups))).toEqual(byName(JSON.parse(text)));
    const file = join(folder, "rules.yml");
    writeFileSync(file, stringify({ groups }));
    await execute(promtool, ["check", "rules", "--lint=all", "--lint-fatal", file]);
  });

  test("what watches Prometheus itself is left to who installed it, unless asked for", async () => {
    const values = { monitoring: { prometheusRule: { enabled: true } } };
    const { groups } = ofKind(await render({ valuesFile: "minimal", values }), "PrometheusRule").spec;
    const names = groups.map(({ name }: Manifest) => name);
    expect(names).toContain("targets");
    expect(names).not.toContain("monitoring");
  });

  test("a target has no labels but job and instance: the rules compare by the rest", async () => {
    const [{ relabelings, port }] = ofKind(await render({ valuesFile: "complete" }), "ServiceMonitor").spec.endpoints;
    expect(port).toBe("metrics");
    const dropped = new RegExp(`^(?:${relabelings.at(-1).regex})$`);
    // What the operator adds to each target of a ServiceMonitor.
    for (const label of ["namespace", "service", "pod", "container", "endpoint"]) expect(label).toMatch(dropped);
    for (const label of ["job", "instance"]) expect(label).not.toMatch(dropped);
    expect(relabelings.find(({ targetLabel }: Manifest) => targetLabel === "job").replacement).toBe("mlops-production");
  });

  test("workers are scaled by queries that Prometheus answers with one true figure", async () => {
    const { triggers } = ofKind(await render({ valuesFile: "complete" }), "ScaledObject").spec;
    expect(triggers).toHaveLength(2);
    for (const { metadata } of triggers) {
      expect(lintPromql(metadata.query, knownSeries(defaultPrefix)), metadata.query).toEqual([]);
      expect(metadata.query).toContain('job="mlops-production"');
      expect(metadata.ignoreNullValues).toBe("false");
    }
  });

  test.each(["local-files", "complete"])(
    "%s: workers go one by one, each when the last one is gone",
    async (valuesFile) => {
      const manifests = await render({ valuesFile });
      const { terminationGracePeriodSeconds } = ofKind(manifests, "Deployment", "-worker").spec.template.spec;
      const { behavior } = ofKind(manifests, "ScaledObject").spec.advanced.horizontalPodAutoscalerConfig;
      expect(behavior.scaleDown.policies).toEqual([
        { type: "Pods", value: 1, periodSeconds: terminationGracePeriodSeconds },
      ]);
      // The autoscaler's number would be set back by each upgrade.
      expect(ofKind(manifests, "Deployment", "-worker").spec).not.toHaveProperty("replicas");
    },
  );

  test("another prefix of the metrics is asked for, too", async () => {
    const values = {
      settings: { PROMETHEUS__METRIC_NAMESPACE: "acme", PROMETHEUS__METRIC_SUBSYSTEM: "ml" },
      monitoring: { prometheusRule: { enabled: false }, dashboards: { enabled: false } },
    };
    const { triggers } = ofKind(await render({ valuesFile: "complete", values }), "ScaledObject").spec;
    for (const { metadata } of triggers)
      expect(lintPromql(metadata.query, knownSeries("acme_ml")), metadata.query).toEqual([]);
  });

  test("dashboards ask the cluster's datasource, and all of it fits into a release", async () => {
    const manifests = await render({ valuesFile: "complete" });
    const dashboards = manifests.filter(({ metadata }) => metadata.labels?.grafana_dashboard === "1");
    expect(dashboards).toHaveLength(dashboardUids.length);
    for (const { data } of dashboards) {
      const [[file, text]] = Object.entries<string>(data) as [[string, string]];
      expect(JSON.parse(text).uid).toBe(file.replace(".json", ""));
      expect(text).toContain('"uid":"prometheus"');
      expect(text).not.toContain('"uid":"Prometheus"');
    }
    // Helm keeps the chart's files and the manifests, gzipped, in a Secret; Kubernetes takes 1 MiB.
    const files = globSync("**/*.{yml,yaml,json,tpl}", { cwd: join(root, chartFolder) }).map((path) =>
      readFileSync(join(root, chartFolder, path)).toString("base64"),
    );
    const release = JSON.stringify([files, manifests.map((manifest) => stringify(manifest)).join("---\n")]);
    expect(gzipSync(release).length * (4 / 3)).toBeLessThan(700_000);
  });

  test("the scrape without the operator, as docs/operations.md has it, is one that Prometheus takes", async () => {
    const blocks = readFileSync(join(root, "docs/operations.md"), "utf8").matchAll(/^```yaml\n(.*?)^```$/gms);
    const [job = ""] = [...blocks]
      .map(([, text = ""]) => text)
      .filter((text) => text.includes("kubernetes_sd_configs"));
    const file = join(folder, "prometheus.yml");
    const withoutSecrets = job.replace(/credentials_file: .*/, "credentials: a");
    writeFileSync(file, `scrape_configs:\n${withoutSecrets.replace(/^/gm, "  ")}`);
    await execute(promtool, ["check", "config", "--lint=all", file]);
    // What it asks the pods for is there.
    const manifests = await render({ valuesFile: "local-files" });
    const { metadata, spec } = ofKind(manifests, "Deployment", "-worker").spec.template;
    expect(metadata.annotations).toMatchObject({
      "prometheus.io/scrape": "true",
      "prometheus.io/path": "/metrics",
      "prometheus.io/port": "9464",
    });
    expect(spec.containers[0].ports).toContainEqual({ name: "metrics", containerPort: 9464 });
  });

  test("nobody is called for Watchdog, which always fires", async () => {
    const { route, receivers } = ofKind(await render({ valuesFile: "complete" }), "AlertmanagerConfig").spec;
    const bySeverity = Object.fromEntries(
      route.routes.map(({ receiver, matchers }: Manifest) => [matchers[0].value, receiver]),
    );
    expect(bySeverity).toEqual({ critical: "pager", warning: "chat", ticket: "chat", none: "nobody" });
    expect(receivers).toContainEqual({ name: "nobody" });
  });
});

test("the processes get out to the ports of database and storage, in the cluster and outside, and not to the node's metadata", async () => {
  const { egress } = ofKind(await render({ valuesFile: "complete" }), "NetworkPolicy").spec;
  const { ports, to } = egress.find(({ ports }: Manifest) => ports.some(({ port }: Manifest) => port === 5432));
  expect(ports).toEqual([{ port: 5432 }, { port: 443 }, { port: 9000 }]);
  // Addresses alone would keep them from pods on some networks, selectors alone from everything outside.
  expect(to).toContainEqual({ namespaceSelector: {} });
  expect(to).toContainEqual({ ipBlock: { cidr: "0.0.0.0/0", except: ["169.254.0.0/16"] } });
});

test("helm test: its pod is let in where others are kept out, and is no target of the Services", async () => {
  const manifests = await render({ valuesFile: "complete" });
  const { labels } = ofKind(manifests, "Pod").metadata;
  for (const { from } of ofKind(manifests, "NetworkPolicy").spec.ingress)
    expect(from).toContainEqual({ podSelector: { matchLabels: labels } });
  for (const { spec } of manifests.filter(({ kind }) => kind === "Service"))
    expect(labels).not.toMatchObject(spec.selector);
});

test("helm test: its pod finds a service that is well, and one that is not", async () => {
  const token = "metrics-token";
  const port = await freePort();
  const { service, url } = await startService(join(folder, "data"), {
    API_KEYS: `anna:${"0".repeat(64)}`,
    METRICS_PORT: String(port),
    METRICS_BEARER_TOKEN: token,
    PROMETHEUS__METRICS_PATH: "/internal/metrics",
  });
  resources.use(service);
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, `${token}\n`);
  const [{ command }] = ofKind(await render({ valuesFile: "complete" }), "Pod").spec.containers;
  const [, ...given] = command.map((word: string) =>
    word
      .replace(/^http:\/\/mlops-metrics:9464/, `http://127.0.0.1:${port}`)
      .replace(/^http:\/\/mlops:80/, url)
      .replace("/run/secrets/metrics/token", tokenFile),
  );
  const { stdout } = await execute(process.execPath, given);
  expect(stdout.trim().split("\n")).toHaveLength(4);
  writeFileSync(tokenFile, "another");
  await expect(execute(process.execPath, given)).rejects.toThrow("401 where 200 was expected");
});
