import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { endless, noiseCsv } from "../support/endless-training.ts";
import { freePort } from "../support/free-port.ts";
import { startRaw } from "../support/raw-service.ts";
import { createDatabase, dropDatabase, eventually, startService } from "../support/service.ts";

const onPostgres = Boolean(process.env.TEST_DATABASE_URL);
const lockOf = ({ dataDir }: { dataDir: string }): string => join(dataDir, "owner.lock");

test("each signal that asks for the end gets it in order, with 0, and leaves no lock", async () => {
  const first = await startService();
  await first.halt();
  try {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const) {
      const service = await startService({ on: first });
      expect({ signal, code: await service.kill(signal) }).toEqual({ signal, code: 0 });
      expect(service.lines.join("\n")).toContain('"msg":"stopped"');
      expect(existsSync(lockOf(first))).toBe(false);
    }
  } finally {
    await first.stop();
  }
});

test("a second signal at once is the same wish; one that comes later ends at once with 1, and leaves no lock", async () => {
  const service = await startService({ env: { SHUTDOWN_GRACE_SECONDS: "600" } });
  try {
    const { json: dataset } = await service.upload(noiseCsv());
    const { json: run } = await service.call("POST", "/training-runs", { datasetId: dataset.id, ...endless });
    await service.waitForRun(run.id, ({ status }) => status === "running");
    for (const signal of ["SIGINT", "SIGINT", "SIGTERM"] as const) process.kill(service.pid, signal);
    await eventually(async () => service.lines.some((line) => line.includes('"stopping"')));
    // Within its grace it waits for the training, and goes on answering.
    expect((await service.call("GET", "/api/health/live")).status).toBe(200);
    const ended = eventually(async () => {
      if (service.lines.some((line) => line.includes("ending at once"))) return true;
      process.kill(service.pid, "SIGINT");
      return false;
    });
    expect(await ended).toBe(true);
    expect(await service.halt()).toBe(1);
    expect(existsSync(lockOf(service))).toBe(false);
  } finally {
    await service.stop();
  }
});

test.each([
  ["the API's port", {}],
  ["METRICS_PORT", { METRICS_PORT: "free" }],
])("while it stops, metrics are answered on %s, work is refused with when to come again", async (_where, more) => {
  const metricsPort = "METRICS_PORT" in more ? String(await freePort()) : undefined;
  const env = { SHUTDOWN_GRACE_SECONDS: "600", ...(metricsPort && { METRICS_PORT: metricsPort }) };
  const service = await startService({ env });
  const metrics = metricsPort ? `http://127.0.0.1:${metricsPort}/metrics` : `${service.url}/metrics`;
  try {
    const { json: dataset } = await service.upload(noiseCsv());
    const { json: run } = await service.call("POST", "/training-runs", { datasetId: dataset.id, ...endless });
    await service.waitForRun(run.id, ({ status }) => status === "running");
    process.kill(service.pid, "SIGTERM");
    await eventually(async () => (await service.call("GET", "/api/health/ready")).status === 503);
    expect((await service.call("GET", "/api/health/ready")).json.failing).toContain("process");
    const refused = await service.call("GET", `/training-runs/${run.id}`);
    expect(refused).toMatchObject({ status: 503, json: { code: "NOT_READY" } });
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(refused.headers.get("connection")).toBe("close");
    const scraped = await (await fetch(metrics)).text();
    expect(scraped).toMatch(/mlops_backend_training_worker_slots\{[^}]*state="busy"[^}]*\} 1/);
    expect(scraped).toMatch(/^mlops_backend_state_readable(\{.*\})? 1$/m);
  } finally {
    await service.kill("SIGKILL");
    await service.stop();
  }
});

test("a stop waits for one more scrape of who scrapes, and for nobody else", async () => {
  const service = await startService({ env: { SHUTDOWN_GRACE_SECONDS: "600" } });
  const scrape = (): Promise<unknown> =>
    service.call("GET", "/metrics", undefined, { "x-prometheus-scrape-timeout-seconds": "10" });
  try {
    await scrape();
    process.kill(service.pid, "SIGTERM");
    await eventually(async () => service.lines.some((line) => line.includes("waiting for one more scrape")));
    await scrape();
    expect(await service.halt()).toBe(0);
    const again = await startService({ on: service, env: { SHUTDOWN_GRACE_SECONDS: "600" } });
    await again.call("GET", "/metrics");
    expect(await again.halt()).toBe(0);
    expect(again.lines.join("\n")).not.toContain("waiting for one more scrape");
  } finally {
    await service.stop();
  }
});

test("a log that nobody reads any more, and a fault that nobody caught, end it in order with 1 and a line", async () => {
  const folder = await mkdtemp(join(tmpdir(), "uncaught-"));
  const script = join(folder, "faulty.cjs");
  await writeFile(
    script,
    `if (require("node:worker_threads").isMainThread) {
      process.on("SIGUSR2", () => { throw new Error("nobody catches this") });
      process.on("SIGALRM", () => void Promise.reject(new Error("nobody awaits this")));
    }`,
  );
  const first = await startService();
  await first.halt();
  try {
    for (const [signal, text] of [
      ["SIGUSR2", "nobody catches this"],
      ["SIGALRM", "nobody awaits this"],
    ] as const) {
      const faulty = startRaw(first, { env: { NODE_OPTIONS: `--require=${script}` } });
      await faulty.line(/"msg":"ready"/);
      faulty.child.kill(signal);
      expect(await faulty.ended).toBe(1);
      expect(faulty.lines.find((line) => line.includes(text))).toContain("a fault that nobody caught: stopping");
      expect(faulty.lines.join("\n")).toContain('"msg":"stopped"');
      expect(existsSync(lockOf(first))).toBe(false);
    }
    const unread = startRaw(first);
    const { url } = JSON.parse(await unread.line(/"msg":"ready"/));
    unread.child.stdout?.destroy();
    // Each request is a line.
    while (unread.child.exitCode === null)
      await fetch(`${url}/api/ml/v1/datasets`).catch(() => new Promise((resolve) => setTimeout(resolve, 20)));
    expect(await unread.ended).toBe(1);
    expect(unread.errorLines).toEqual([
      "The log can't be written any more, whoever read stdout has gone (EPIPE): stopping.",
    ]);
    expect(existsSync(lockOf(first))).toBe(false);
  } finally {
    await first.stop();
    await rm(folder, { recursive: true });
  }
});

/** Three embedded databases are made, of which each took over a minute on a machine with a load of 40. */
const limitMs = 600_000;

test("a signal while the database is being made or reached ends the start in order with 0; the next one succeeds", {
  timeout: 2 * limitMs,
}, async () => {
  const place = { dataDir: await mkdtemp(join(tmpdir(), "broken-off-")), databaseUrl: await createDatabase() };
  try {
    // Before anything else can be awaited: the first line of a fresh start, and with PostgreSQL there is none before it is ready.
    const early = startRaw(place, { limitMs });
    if (!onPostgres) await early.line(/making the embedded database/);
    early.child.kill("SIGTERM");
    // Where the signal comes before anybody hears it, it is the system's.
    expect([0, "SIGTERM"]).toContain(await early.ended);
    // Not always as the last line: what was being written when the process ended may come after it.
    if (!onPostgres) expect(early.lines.join("\n")).toContain("stopped before it was ready");
    expect(existsSync(lockOf(place))).toBe(false);
    const next = startRaw(place, { limitMs });
    await next.line(/"msg":"ready"/);
    next.child.kill("SIGTERM");
    expect(await next.ended).toBe(0);
  } finally {
    await dropDatabase(place.databaseUrl);
    await rm(place.dataDir, { recursive: true });
  }
});

test.skipIf(onPostgres)("waiting for a lock is told, and a signal ends it at once", async () => {
  const service = await startService();
  await service.halt();
  const lock = lockOf(service);
  await writeFile(lock, "1 100 elsewhere/pid:[1]");
  const beat = setInterval(() => utimes(lock, new Date(), new Date()).catch(() => {}), 3_600_000);
  try {
    const waiting = startRaw(service);
    expect(await waiting.line(/starting:/)).toContain("process 1 of elsewhere/pid:[1] has locked");
    waiting.child.kill("SIGTERM");
    expect(await waiting.ended).toBe(0);
    // Not ours.
    expect(await readFile(lock, "utf8")).toBe("1 100 elsewhere/pid:[1]");
  } finally {
    clearInterval(beat);
    await service.stop();
  }
});

test("SERVICE_HOST takes an address of IPv6 in brackets", async () => {
  const service = await startService({ env: { SERVICE_HOST: "[::1]" } });
  try {
    expect(service.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await service.call("GET", "/datasets")).status).toBe(200);
  } finally {
    await service.stop();
  }
});
