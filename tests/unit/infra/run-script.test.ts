import { cp, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folder, program, run, settings, useScriptFolder, written } from "./script-folder.ts";

useScriptFolder();

describe("up", () => {
  const base = "docker-compose.yml";
  const tracing = `${base}:docker-compose.tracing.yml`;
  const collector = "docker-compose.collector.yml";
  const elsewhere = "TEMPO_OTLP_URL=http://tempo.example.org:4318\nLOKI_OTLP_URL=http://loki.example.org/otlp\n";
  test.each([
    ["", base],
    ["COMPOSE_PROFILES=alerting\n", base],
    ["COMPOSE_PROFILES=alerting,tracing\n", tracing],
    ["COMPOSE_PROFILES=tracing,collector", `${tracing}:${collector}`],
    ["COMPOSE_PROFILES=replicas\nDATABASE_URL=postgres://postgres/mlops\n", `${base}:docker-compose.replicas.yml`],
    [`COMPOSE_PROFILES=collector\n${elsewhere}`, `${base}:${collector}`],
    ["COMPOSE_PROFILES=tracing\nCOMPOSE_FILE=mine.yml\n", "mine.yml"],
  ])("with %j the files of Compose are %s, without this script too", async (env, files) => {
    await program("bin/docker", `[ "$2" != up ] || echo "files \${COMPOSE_FILE:-unset}"`);
    await settings(env);
    expect((await run("up")).lines).toContain(`files ${files === base ? "unset" : files}`);
    expect((await run("dev")).lines).toContain(`files ${files}:docker-compose.dev.yml`);
    // Compose reads .env itself; ours is there once, however often it was written.
    const remembered = [...(await written(".env")).matchAll(/^COMPOSE_FILE=(\S+)/gm)].map(([, value]) => value);
    expect(remembered).toEqual(files === base ? [] : [files]);
    expect(await written(".env")).toContain(env.trim());
  });

  test("an override of one's own is laid over them, last", async () => {
    await writeFile(join(folder, "docker-compose.override.yml"), "services: {}\n");
    await settings("COMPOSE_PROFILES=tracing\n");
    await run("up");
    expect(await written(".env")).toContain(`COMPOSE_FILE=${tracing}:docker-compose.override.yml #`);
  });

  test("a profile of the environment counts for this time only", async () => {
    await settings("SERVICE_PORT=8001\n");
    await program("bin/docker", `[ "$2" != up ] || echo "files \${COMPOSE_FILE:-unset}"`);
    expect((await run("up", { COMPOSE_PROFILES: "tracing" })).lines).toContain(`files ${tracing}`);
    expect(await written(".env")).not.toContain("COMPOSE_FILE");
  });

  test("a collector alone needs to be told where it sends to", async () => {
    await settings("COMPOSE_PROFILES=collector\n");
    const { code, output } = await run("up");
    expect(code).toBe(1);
    expect(output).toMatch(/add tracing, or .*TEMPO_OTLP_URL/);
    expect(output).not.toContain("up -d");
  });

  test.each([
    ["nothing", "", "8000", "/metrics", ""],
    ["plain values", "METRICS_PORT=9464\nPROMETHEUS__METRICS_PATH=/m\nMETRICS_BEARER_TOKEN=abc\n", "9464", "/m", "abc"],
    ["OpenTelemetry's own name of the port", "OTEL_EXPORTER_PROMETHEUS_PORT=9464\n", "9464", "/metrics", ""],
    ["quotes", "METRICS_PORT=\"9464\" # apart\nMETRICS_BEARER_TOKEN='a b#c'\n", "9464", "/metrics", "a b#c"],
    ["comments and blanks", "METRICS_PORT= 9464  # apart\r\nMETRICS_BEARER_TOKEN=a#b\t\n", "9464", "/metrics", "a#b"],
    [
      "the same name twice",
      "METRICS_PORT=1\nexport METRICS_PORT=2\nXMETRICS_PORT=3\n#METRICS_PORT=4\n",
      "2",
      "/metrics",
      "",
    ],
    ["empty values", 'METRICS_PORT=\nMETRICS_BEARER_TOKEN=""\n', "8000", "/metrics", ""],
  ])("tells Prometheus what .env says as Compose reads it: %s", async (_what, env, port, path, token) => {
    await settings(env);
    expect((await run("up")).code).toBe(0);
    expect(JSON.parse(await written(".cache/prometheus/backend.json"))).toEqual([
      { targets: [`backend:${port}`], labels: { __metrics_path__: path } },
    ]);
    expect(await written(".cache/prometheus/metrics-token")).toBe(token);
  });

  test("takes the token that only the container sees, and renews Prometheus' copy each time", async () => {
    await settings("METRICS_BEARER_TOKEN=old\n");
    await run("up");
    expect(await written(".cache/prometheus/metrics-token")).toBe("old");
    await settings("METRICS_BEARER_TOKEN_FILE=/run/secrets/metrics token\n");
    const container = (answer: string): Promise<void> =>
      program("bin/docker", `case "$*" in *" run "*) ${answer} ;; *) printf "docker %s\\n" "$*" ;; esac`);
    for (const token of ["first", "second"]) {
      await container(
        `[ "$*" = "compose run --rm --no-deps -T --entrypoint cat backend /run/secrets/metrics token" ] && echo ${token}`,
      );
      expect(await run("up")).toMatchObject({ code: 0, output: expect.stringContaining("up -d") });
      expect(await written(".cache/prometheus/metrics-token")).toBe(token);
    }
    for (const answer of ["exit 1", "true"]) {
      await container(answer);
      const refused = await run("up");
      expect(refused).toMatchObject({ code: 1, output: expect.stringContaining("METRICS_BEARER_TOKEN_FILE: ") });
      expect(refused.output).not.toContain("up -d");
      expect(await written(".cache/prometheus/metrics-token")).toBe("second");
    }
    // Nobody scrapes then.
    await settings("METRICS_BEARER_TOKEN_FILE=/nowhere\nPROMETHEUS__ENABLED=false\n");
    const rules = "infra/monitoring/prometheus/rules";
    await cp(new URL(`../../../${rules}`, import.meta.url), join(folder, rules), { recursive: true });
    expect(await run("up")).toMatchObject({ code: 0 });
    expect(await written(".cache/prometheus/metrics-token")).toBe("");
  });

  test.each(["PROMETHEUS__ENABLED=false\n", "OTEL_SDK_DISABLED=True\n", "OTEL_METRICS_EXPORTER=otlp\n"])(
    "leaves a backend without metrics out, and the alerts that it is not there, until there are metrics: %s",
    async (env) => {
      const rules = "infra/monitoring/prometheus/rules";
      await cp(new URL(`../../../${rules}`, import.meta.url), join(folder, rules), { recursive: true });
      await program("bin/docker", `[ "$2" != up ] || echo "rules of \${PROMETHEUS_RULES_DIR:-the repository}"`);
      await settings(env);
      expect(await run("up")).toMatchObject({
        code: 0,
        lines: expect.arrayContaining(["rules of ./.cache/prometheus-rules"]),
      });
      expect(JSON.parse(await written(".cache/prometheus/backend.json"))).toEqual([]);
      const committed = await readdir(join(folder, rules));
      const kept = await readdir(join(folder, ".cache/prometheus-rules"));
      expect(committed.filter((name) => !kept.includes(name))).toEqual(["targets.yml"]);
      expect(await written(`${rules}/targets.yml`)).toContain("absent(up");
      for (const name of kept)
        expect(await written(`.cache/prometheus-rules/${name}`), name).not.toContain("absent(up");
      await settings("OTEL_METRICS_EXPORTER=otlp,prometheus\n");
      expect((await run("up")).lines).toContain("rules of the repository");
    },
  );

  test("makes Alertmanager's files where .env says who is told, and goes no further when they can't be made", async () => {
    await settings("ALERTMANAGER_SLACK_CHANNEL='#alerts'\n");
    expect(await run("up")).toMatchObject({ code: 1, output: expect.stringContaining("npm ci") });
    await mkdir(join(folder, "node_modules", "yaml"), { recursive: true });
    await mkdir(join(folder, "node_modules", ".bin"));
    await program(
      "node_modules/.bin/node",
      'mkdir -m 700 -p .cache/alertmanager .cache/grafana-alerting; printf "node %s\\n" "$*"; echo "the links lead nowhere" >&2',
    );
    await program(
      "bin/docker",
      'printf "docker %s with %s, %s\\n" "$*" "$ALERTMANAGER_CONFIG_DIR" "$GRAFANA_ALERTING_DIR"',
    );
    expect((await run("up")).lines).toEqual(
      expect.arrayContaining([
        "node infra/monitoring/alerting/write-receivers.ts",
        "the links lead nowhere",
        "docker compose up -d --build with ./.cache/alertmanager, ./.cache/grafana-alerting",
      ]),
    );
    // As committed they are for everybody; made under another umask they would be for us alone.
    expect((await stat(join(folder, ".cache/alertmanager"))).mode & 0o777).toBe(0o755);
    // What runs already reads them anew, and is not stopped by hand for that: nothing would start it again.
    const running =
      'case "$*" in *" ps "*) printf "prometheus\\nalertmanager\\ngrafana-alerting\\n" ;; *) printf "docker %s\\n" "$*" ;; esac';
    await program("bin/docker", running);
    expect((await run("up")).lines).toEqual(
      expect.arrayContaining([
        "docker compose --profile * exec -T prometheus kill -HUP 1",
        "docker compose --profile * exec -T alertmanager kill -HUP 1",
        "docker compose --profile * restart grafana-alerting",
      ]),
    );
    await program("node_modules/.bin/node", "exit 2");
    const refused = await run("up");
    expect(refused.code).toBe(1);
    expect(refused.output).not.toContain("up -d");
  });

  test.each([
    [["--scale", "backend=2"], "", "--scale backend=2, and the embedded database serves one process"],
    [[], "COMPOSE_PROFILES=replicas\n", "COMPOSE_PROFILES has replicas, and the embedded database serves one process"],
    [
      ["--scale", "backend=2"],
      "DATABASE_URL=postgres://db/m\n",
      "COMPOSE_PROFILES=replicas and BACKEND_REPLICAS say it",
    ],
    [[], "COMPOSE_PROFILES=replicas\nDATABASE_URL=postgres://db/m\nMETRICS_PORT=9464\n", "leave METRICS_PORT"],
  ])("starts no second process that would not work: %j with %j", async (options, env, says) => {
    await settings(env);
    const { code, output } = await run("up", ...options);
    expect([code, output]).toEqual([1, expect.stringContaining(says)]);
    expect(output).not.toContain("up -d");
  });

  test("leaves replicas to their common name, and speaks to the first of their ports", async () => {
    await settings("COMPOSE_PROFILES=replicas\nDATABASE_URL=postgres://db/m\nSERVICE_PORT=8000-8001\n");
    const { code, output } = await run("up");
    expect([code, output]).toEqual([0, expect.stringContaining("API http://127.0.0.1:8000/api/docs")]);
    expect(await written(".cache/prometheus/backend.json")).toBe("[]\n");
  });

  test("without Compose says what is missing", async () => {
    await program("bin/docker", "exit 1");
    expect(await run("up")).toMatchObject({ code: 1, output: expect.stringContaining("Docker Compose v2") });
  });
});

test("down and logs see every profile, and hand options on", async () => {
  expect((await run("down", "-v")).lines).toEqual(["docker compose --profile * down -v"]);
  expect((await run("logs", "backend")).lines).toEqual(["docker compose --profile * logs -f backend"]);
});

test.each([
  [[], 0],
  [["help"], 0],
  [["--help"], 0],
  [["upp"], 2],
])("%j shows the commands and ends with %i", async (options, code) => {
  expect(await run(...(options as string[]))).toMatchObject({ code, output: expect.stringContaining("smoke") });
});
