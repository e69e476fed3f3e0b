import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folder, program, run, settings, useScriptFolder, written } from "./script-folder.ts";

useScriptFolder();

const modeOf = async (path: string): Promise<number> => (await stat(join(folder, path))).mode & 0o777;
const hashOfKey = async (): Promise<string> =>
  createHash("sha256")
    .update((await written(".cache/api-key")).trim())
    .digest("hex");

describe("the API key", () => {
  test("is made the first time with .env, for us alone, and stays from then on", async () => {
    const { code, lines } = await run("up", "prometheus");
    expect(code).toBe(0);
    expect(lines).toContain("docker compose up -d --build prometheus");
    expect(lines).toContainEqual(expect.stringMatching(/^The API key of owner "demo" is in .cache\/api-key.* 401\.$/));
    expect(await written(".env")).toContain(`API_KEYS=demo:${await hashOfKey()}\nAUTH__DISABLED=false\n`);
    for (const secret of [".env", ".cache/api-key"]) expect(await modeOf(secret), secret).toBe(0o600);
    const before = [await written(".env"), await written(".cache/api-key")];
    expect((await run("up")).output).not.toContain("API key");
    expect([await written(".env"), await written(".cache/api-key")]).toEqual(before);
  });

  test("is made in a copy of .env.example too, in the place of the empty lines, and nothing else of it changes", async () => {
    const example = new URL("../../../.env.example", import.meta.url);
    await copyFile(example, join(folder, ".env"));
    expect((await run("up")).output).toContain("401");
    const text = await readFile(example, "utf8");
    const keyed = text.replace(/^API_KEYS=$/m, `API_KEYS=demo:${await hashOfKey()}`);
    expect(keyed).not.toBe(text);
    expect(await written(".env")).toBe(
      `${keyed}AUTH__DISABLED=false\nPROMETHEUS_TARGETS_DIR=./.cache/prometheus # by ./run.sh\n`,
    );
    const before = await written(".env");
    await run("up");
    expect(await written(".env")).toBe(before);
  });

  test.each([
    ["API_KEYS=me:abc\n", false],
    ["API_KEYS_FILE=/run/secrets/keys\n", false],
    ["AUTH__DISABLED=true # behind a gateway\n", true],
  ])("is not made with %j, and whoever needs none is told so", async (env, isOpen) => {
    await settings(env);
    const { output } = await run("up");
    expect(output.includes("calls need no API key")).toBe(isOpen);
    expect(await written(".env")).toBe(`${env}PROMETHEUS_TARGETS_DIR=./.cache/prometheus # by ./run.sh\n`);
  });
});

describe("what is decided", () => {
  const ours = (text: string): string[] => text.split("\n").filter((line) => line.endsWith(" # by ./run.sh"));

  test("stands in .env, once, after one's own lines, and goes when it is decided otherwise", async () => {
    const own = "# mine\nAPI_KEYS=me:abc\n\nSERVICE_PORT=8001 # apart\n\n# the end";
    await mkdir(join(folder, "infra/monitoring/prometheus/rules"), { recursive: true });
    for (const name of ["targets.yml", "ttl.yml"])
      await writeFile(join(folder, "infra/monitoring/prometheus/rules", name), "groups: []\n");
    for (const name of ["node_modules/yaml", "node_modules/.bin"]) await mkdir(join(folder, name), { recursive: true });
    await program("node_modules/.bin/node", "mkdir -p .cache/alertmanager .cache/grafana-alerting");
    await settings(
      `${own}\nPROMETHEUS__ENABLED=false\nALERTMANAGER_EMAIL_TO=a@example.org\nCOMPOSE_PROFILES=tracing,alerting`,
    );
    await chmod(join(folder, ".env"), 0o640);
    for (const _ of ["once", "again"]) {
      expect((await run("up")).code).toBe(0);
      expect(ours(await written(".env"))).toEqual([
        "COMPOSE_FILE=docker-compose.yml:docker-compose.tracing.yml # by ./run.sh",
        "PROMETHEUS_TARGETS_DIR=./.cache/prometheus # by ./run.sh",
        "PROMETHEUS_RULES_DIR=./.cache/prometheus-rules # by ./run.sh",
        "ALERTMANAGER_CONFIG_DIR=./.cache/alertmanager # by ./run.sh",
        "GRAFANA_ALERTING_DIR=./.cache/grafana-alerting # by ./run.sh",
      ]);
    }
    const text = await written(".env");
    expect(text).toContain(`${own}\nPROMETHEUS__ENABLED=false\n`);
    await settings(text.replace(/^(PROMETHEUS__ENABLED|ALERTMANAGER_EMAIL_TO|COMPOSE_PROFILES)=.*\n/gm, ""));
    await run("up");
    expect(await written(".env")).toBe(`${own}\nPROMETHEUS_TARGETS_DIR=./.cache/prometheus # by ./run.sh\n`);
    expect(await modeOf(".env")).toBe(0o640);
  });

  test("stands as it was when the next try goes no further", async () => {
    await settings("API_KEYS=me:abc\nCOMPOSE_PROFILES=tracing\n");
    await run("up");
    const before = `${await written(".env")}ALERTMANAGER_EMAIL_TO=a@example.org\n`;
    await settings(before);
    expect((await run("up")).code).toBe(1); // No packages, and so no files of Alertmanager's.
    expect(await written(".env")).toBe(before);
  });

  test("gives way to what .env says itself", async () => {
    await settings("API_KEYS=me:abc\nPROMETHEUS_TARGETS_DIR=./mine\n");
    await program("bin/docker", '[ "$2" != up ] || echo "targets $PROMETHEUS_TARGETS_DIR"');
    expect((await run("up")).lines).toContain("targets ./mine");
    expect(await written(".env")).toBe("API_KEYS=me:abc\nPROMETHEUS_TARGETS_DIR=./mine\n");
  });

  test("follows .env, as the container does, where the shell says otherwise", async () => {
    await settings("API_KEYS=me:abc\n");
    await run("up", { OTEL_SDK_DISABLED: "true", METRICS_PORT: "9464" });
    expect(await written(".cache/prometheus/backend.json")).toContain("backend:8000");
  });
});

test("files that a clone with umask 077 has closed are opened for the containers, secrets are not", async () => {
  const config = "infra/monitoring/prometheus";
  const secrets = "infra/monitoring/alertmanager/secrets";
  for (const name of [config, secrets]) await mkdir(join(folder, name), { recursive: true });
  for (const name of [`${config}/prometheus.yml`, `${secrets}/slack-url`, "src/main.ts"]) {
    await writeFile(join(folder, name), "");
    await chmod(join(folder, name), 0o600);
  }
  for (const name of [config, "infra/monitoring"]) await chmod(join(folder, name), 0o700);
  const { output } = await run("dev");
  expect(output).toContain("infra/monitoring was closed to others");
  expect([await modeOf(config), await modeOf(`${config}/prometheus.yml`)]).toEqual([0o755, 0o644]);
  expect([await modeOf(`${secrets}/slack-url`), await modeOf("src/main.ts")]).toEqual([0o600, 0o644]);
  expect((await run("up")).output).not.toContain("closed");
});
