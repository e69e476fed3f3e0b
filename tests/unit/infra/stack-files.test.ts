import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dashboardTitles } from "../../../infra/monitoring/dashboards/dashboard-list.ts";
import { generatedFiles } from "../../../infra/monitoring/generate/generate.ts";
import { telemetryVariables } from "../../../otel/settings/telemetry-settings.ts";
import { readConfig, settings } from "../../../src/settings/config.ts";
import { yaml as stack } from "./stack-files.ts";

const root = join(import.meta.dirname, "../../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const compose = read("docker-compose.yml");
const grafana = "infra/monitoring/grafana";

/** The text of each service of docker-compose.yml. */
const services = new Map(
  (compose.split(/^services:\n/m)[1]?.split(/^volumes:/m)[0] ?? "")
    .split(/^(?= {2}[a-z])/m)
    .map((text) => [/^ {2}([a-z-]+):/m.exec(text)?.[1] ?? "", text] as const)
    .filter(([name]) => name !== ""),
);
// `<<: *grafana` takes over what the other says; its own lines come first.
for (const [name, text] of services) {
  const merged = /<<: \*([a-z-]+)/.exec(text)?.[1];
  if (merged !== undefined) services.set(name, `${text}${services.get(merged)}`);
}
const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? "");

/** Once: making them all takes a third of a second, and a hundred tests look at them. */
const generated = generatedFiles();

describe("generated files", () => {
  test.each([...generated])("%s is what the generator makes", (path, text) => {
    expect(read(path)).toBe(text);
  });

  // Prometheus loads whatever stands there: a rule whose family is gone would alert on.
  test.each(["infra/monitoring/prometheus/rules", "infra/monitoring/grafana/dashboards"])(
    "are all that stands in %s",
    (folder) => {
      const made = [...generated.keys()].filter((path) => path.startsWith(`${folder}/`));
      expect(readdirSync(join(root, folder)).map((name) => `${folder}/${name}`)).toEqual(made.toSorted());
    },
  );
});

describe("docker-compose.yml", () => {
  test("has the services", () => {
    expect([...services.keys()]).toEqual([
      "backend",
      "worker",
      "prometheus",
      "grafana",
      "alertmanager",
      "grafana-alerting",
      "postgres",
      "tempo",
      "loki",
      "collector",
    ]);
  });

  test("publishes on loopback only", () => {
    const ports = all(compose, /^ {6}- "?([^"\n]*:\d+)"?$/gm).filter((entry) => /\d+$/.test(entry));
    expect(ports).toHaveLength(5);
    expect(ports.filter((port) => !port.startsWith("127.0.0.1:"))).toEqual([]);
    expect(compose).not.toContain("network_mode");
  });

  test("kills the backend only 20 s after its grace, which a cut way to PostgreSQL needs", () => {
    const seconds = Number(/stop_grace_period: (\d+)s/.exec(services.get("backend") ?? "")?.[1]);
    expect(seconds).toBe(readConfig({}).shutdownGraceSeconds + 20);
  });

  test("gives Prometheus and Grafana 512 MB together", () => {
    const limits = ["prometheus", "grafana"].map((name) =>
      Number(/mem_limit: (\d+)m$/m.exec(services.get(name) ?? "")?.[1]),
    );
    expect(limits.reduce((sum, limit) => sum + limit, 0)).toBeLessThanOrEqual(512);
  });

  test.each([...services])("%s is limited, read-only, without privileges and watched", (name, text) => {
    expect(text).toMatch(/mem_limit: \d+m/);
    expect(text).toContain("read_only: true");
    expect(text).toContain("cap_drop: [ALL]");
    expect(text).toContain("no-new-privileges:true");
    // The image of the backend says it itself.
    const isOurs = name === "backend" || name === "worker";
    const watched = isOurs ? read("infra/docker/Dockerfile") : text;
    expect(watched).toMatch(/healthcheck:|^HEALTHCHECK |# No health check: /m);
    expect(watched).toMatch(/user: "[1-9]\d*:\d+"|^USER [1-9]\d*:\d+$/m);
  });

  test("pins every version", () => {
    const images = [...all(compose, /image: (\S+)/g), ...all(read("infra/docker/Dockerfile"), /^FROM (\S+)/gm)];
    expect(images.length).toBeGreaterThanOrEqual(5);
    expect(images.filter((image) => !/:v?\d+\.\d+(\.\d+)?(-[a-z-]+)?$/.test(image))).toEqual([]);
  });

  test("runs the Prometheus that infra/tools builds, which is the one that its files are tested with", () => {
    const [, minor, patch] = /prometheus\/prometheus v0\.(\d+)\.(\d+)/.exec(read("infra/tools/go.mod")) ?? [];
    // Prometheus 3.16.0 is v0.316.0 as a Go module.
    const [major, ...rest] = minor ?? "";
    expect(services.get("prometheus")).toContain(
      `image: prom/prometheus:v${major}.${Number(rest.join(""))}.${patch}\n`,
    );
  });

  test("mounts what exists", () => {
    const sources = all(compose, /(?:- |:-)(\.\/[^:}\s]+)/g);
    expect(sources.length).toBeGreaterThanOrEqual(4);
    expect([...sources, "infra/docker/Dockerfile"].filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("takes only variables that .env.example explains", () => {
    const example = read(".env.example");
    const names = new Set(all(compose, /\$\{([A-Z_]+)/g));
    const unknown = [...names].filter((name) => !new RegExp(`^(# )?${name}=`, "m").test(example));
    // REVISION is what run.sh takes from git.
    expect(unknown).toEqual(["REVISION"]);
  });
});

describe("the profile replicas", () => {
  const { services } = stack("docker-compose.yml");
  const over = stack("docker-compose.replicas.yml").services;
  const discovery = stack("infra/monitoring/prometheus/prometheus.yml").scrape_configs[0].dns_sd_configs;

  test("has backend and worker under the name by which Prometheus finds each of them, and nobody else", () => {
    const [{ names, port, type }] = discovery;
    expect([names, port, type]).toEqual([["backend-replicas"], 8000, "A"]);
    for (const { networks } of [services.worker, over.backend])
      expect(networks).toEqual({ default: { aliases: names } });
    const others = Object.entries<Record<string, unknown>>(services).filter(([name]) => name !== "worker");
    expect(others.filter(([, { networks }]) => networks !== undefined)).toEqual([]);
  });

  test("has a worker that is the backend, but for its role, its port and how many there are", () => {
    const { profiles, environment, ports, scale, networks, ...same } = services.worker;
    expect([profiles, ports, scale]).toEqual([["replicas"], [], `\${WORKER_REPLICAS:-1}`]);
    expect(environment).toEqual({ ...services.backend.environment, SERVICE_ROLE: "worker" });
    expect({ ...same, ports: services.backend.ports, environment: services.backend.environment }).toEqual(
      services.backend,
    );
  });
});

describe("the image", () => {
  test("lets its user read what it copies, whatever the rights in the folder that it is built from", () => {
    const copies = all(read("infra/docker/Dockerfile"), /^COPY (?!--from)(.*)$/gm);
    expect(copies).toHaveLength(7);
    expect(copies.filter((copy) => !copy.startsWith("--chmod=755 "))).toEqual([]);
  });
});

describe("provisioning", () => {
  test("of Prometheus names files that exist", () => {
    const folder = "infra/monitoring/prometheus";
    const paths = all(read(`${folder}/prometheus.yml`), /(targets\/[\w.-]+)[\],\s]/g);
    expect(paths.length).toBeGreaterThanOrEqual(2);
    expect(paths.filter((path) => !existsSync(join(root, folder, path)))).toEqual([]);
    expect(JSON.parse(read(`${folder}/targets/backend.json`))).toMatchObject([{ targets: ["backend:8000"] }]);
  });

  test("of Grafana names the datasource that every panel asks", () => {
    const uid = /uid: (\S+)/.exec(read(`${grafana}/provisioning/datasources/prometheus.yml`))?.[1];
    expect(uid).toBe("Prometheus");
    const dashboards = [...generated].filter(([path]) => path.startsWith(`${grafana}/dashboards/`));
    expect(dashboards).toHaveLength(7);
    for (const [path, text] of dashboards) {
      const used = new Set(
        all(JSON.stringify(JSON.parse(text)), /"datasource":\{"type":"prometheus","uid":"([^"]*)"\}/g),
      );
      expect([...used], path).toEqual([uid]);
    }
  });

  test("of Grafana finds the dashboard, and opens with it", () => {
    const path = /path: (\S+)/.exec(read(`${grafana}/provisioning/dashboards/dashboards.yml`))?.[1];
    expect(services.get("grafana")).toContain(`./${grafana}/dashboards:${path}:ro`);
    const home = /HOME_DASHBOARD_PATH: (\S+)/.exec(compose)?.[1] ?? "";
    expect(home.startsWith(`${path}/`)).toBe(true);
    const opened = JSON.parse(read(`${grafana}/dashboards/${home.slice(`${path}/`.length)}`));
    const uid = "mlops-backend-overview";
    expect(opened).toMatchObject({ uid, title: dashboardTitles[uid] });
  });
});

describe(".env.example", () => {
  const example = read(".env.example");

  test("has every setting", () => {
    const names = [...Object.values(settings).map(({ env }) => env as string), ...Object.keys(telemetryVariables)];
    expect(names.filter((name) => !new RegExp(`^(# )?${name}=`, "m").test(example))).toEqual([]);
  });

  test("is accepted as it is", () => {
    const env = Object.fromEntries([...example.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
    expect(Object.keys(env).length).toBeGreaterThan(30);
    expect(readConfig(env)).toEqual(readConfig({}));
  });
});
