import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openStore } from "../../src/store/database.ts";
import { cpuSeconds } from "../support/process-stat.ts";
import { seattleWeatherCsv } from "../support/real-data.ts";
import {
  createDatabase,
  dropDatabase,
  eventually,
  nameOnServer,
  type RunningService,
  startService,
} from "../support/service.ts";

describe.runIf(process.env.TEST_DATABASE_URL)("connections to PostgreSQL", () => {
  const resources = new AsyncDisposableStack();
  const role = nameOnServer();
  let place: { dataDir: string; databaseUrl: string };
  let admin: pg.Client;
  let datasetId: string;

  beforeAll(async () => {
    const databaseUrl = await createDatabase();
    resources.defer(async () => {
      await dropDatabase(databaseUrl);
      const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
      await client.connect();
      await client.query(`drop role ${role}`);
      await client.end();
    });
    admin = new pg.Client({ connectionString: databaseUrl });
    await admin.connect();
    resources.defer(() => admin.end());
    // Limits don't hold for a superuser.
    await admin.query(`create role ${role} login`);
    await admin.query(`alter database ${new URL(databaseUrl).pathname.slice(1)} owner to ${role}`);
    const url = new URL(databaseUrl);
    url.username = role;
    url.password = "never-printed";
    const dataDir = await mkdtemp(join(tmpdir(), "connections-"));
    resources.defer(() => rm(dataDir, { recursive: true, force: true }));
    place = { dataDir, databaseUrl: url.toString() };
    const service = await startService({ on: place });
    datasetId = (await service.upload(seattleWeatherCsv())).json.id;
    await service.halt();
  });
  afterAll(() => resources.disposeAsync());

  const connections = async (): Promise<{ all: number; pool: number }> => {
    const { rows } = await admin.query(`select count(*)::int as all,
      count(*) filter (where application_name = 'mlops-backend')::int as pool
      from pg_stat_activity where datname = current_database() and usename = '${role}'`);
    return rows[0];
  };
  /** The most that were seen at once while `load` went on; at its end too, when the pool still has what it needed. */
  const mostDuring = async (load: Promise<unknown>): Promise<{ all: number; pool: number }> => {
    const most = { all: 0, pool: 0 };
    let isOver = false;
    const ended = load.finally(() => {
      isOver = true;
    });
    const look = async (): Promise<void> => {
      const now = await connections();
      most.all = Math.max(most.all, now.all);
      most.pool = Math.max(most.pool, now.pool);
    };
    while (!isOver) await look();
    await look();
    await ended;
    return most;
  };
  const started: RunningService[] = [];
  // A test that fails must not leave its connections to the next one.
  afterEach(async () => {
    for (const service of started.splice(0)) await service.halt();
  });
  /** Those of the one before are gone. */
  const start = async (env: Record<string, string>): Promise<RunningService> => {
    await eventually(async () => (await connections()).all === 0);
    const service = await startService({ on: place, env: { MAX_QUEUED_RUNS_PER_OWNER: "100", ...env } });
    started.push(service);
    return service;
  };
  const ask = async (service: RunningService): Promise<void> => {
    const ends = await Promise.all(
      // More than the pool has.
      Array.from({ length: 60 }, (_, index) =>
        service.call("GET", index % 2 === 0 ? "/training-runs?limit=100" : "/datasets?limit=100"),
      ),
    );
    // On a busy machine some wait for a connection for longer than the five seconds that one may.
    const refused = ends.filter(({ status }) => status !== 200);
    for (const { json } of refused) expect(json).toMatchObject({ status: 503, code: "DATABASE_UNAVAILABLE" });
    expect(refused.length).toBeLessThan(ends.length);
  };
  const submit = async (service: RunningService, count: number): Promise<string[]> => {
    const body = { datasetId, mode: "light" };
    const answers = await Promise.all(
      Array.from({ length: count }, () => service.call("POST", "/training-runs", body)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    return answers.map(({ json }) => json.id);
  };

  test.each([
    ["", { api: 14, worker: 10, all: 17 }],
    ["7", { api: 7, worker: 7, all: 7 }],
  ])("under load a process has no more than DATABASE__MAX_CONNECTIONS=%j, by role", async (setting, most) => {
    const env = { DATABASE__MAX_CONNECTIONS: setting };
    const api = await start({ ...env, SERVICE_ROLE: "api" });
    const [first = ""] = await submit(api, 40);
    const follow = async (service: RunningService, id: string): Promise<AbortController> => {
      const following = new AbortController();
      const events = `${service.url}/api/ml/v1/training-runs/${id}/events`;
      expect((await fetch(events, { signal: following.signal })).status).toBe(200);
      return following;
    };
    const followed = await follow(api, first);
    const ofApi = await mostDuring(Promise.all([ask(api), submit(api, 20)]));
    followed.abort();
    await api.halt();
    expect(ofApi.all).toBeLessThanOrEqual(most.api);
    // Full: two of the queue, its listener, and that of the event streams are beside it.
    expect(ofApi.pool).toBe(most.api - 4);

    const worker = await start({ ...env, SERVICE_ROLE: "worker", TRAINING_CONCURRENCY: "8" });
    const ofWorker = await mostDuring(
      eventually(async () => {
        const { rows } = await admin.query("select 1 from training_runs where status in ('queued', 'running') limit 1");
        return rows.length === 0;
      }),
    );
    await worker.halt();
    expect(ofWorker.all).toBeLessThanOrEqual(most.worker);
    expect(ofWorker.all).toBeGreaterThan(4);
    const { rows } = await admin.query("select distinct status from training_runs");
    expect(rows).toEqual([{ status: "succeeded" }]);

    const all = await start({ ...env, TRAINING_CONCURRENCY: "8" });
    const ofAll = await mostDuring(
      (async () => {
        const ids = await submit(all, 30);
        const following = await follow(all, ids.at(-1) ?? "");
        await ask(all);
        for (const id of ids) await all.waitForRun(id);
        following.abort();
      })(),
    );
    await all.halt();
    expect(ofAll.all).toBeLessThanOrEqual(most.all);
    expect(ofAll.pool).toBe(most.all === 17 ? 10 : 2);
  });

  /** Takes what is left of the role's connections, but for so many. */
  const occupy = async (limit: number, left: number): Promise<() => Promise<void>> => {
    await admin.query(`alter role ${role} connection limit ${limit}`);
    const held: pg.Client[] = [];
    for (let count = 0; count < limit - left; count += 1) {
      const client = new pg.Client({ connectionString: place.databaseUrl });
      client.on("error", () => {});
      await client.connect();
      held.push(client);
    }
    return async () => {
      await Promise.all(held.map((client) => client.end()));
    };
  };

  // With three it may start, with nobody who listens to the queue: pg-boss polls then, and says so.
  test.each([0, 2])(
    "with %i connections left a start waits, says why, and goes on as soon as there are more",
    async (left) => {
      await eventually(async () => (await connections()).all === 0);
      const release = await occupy(20, left);
      const waits: string[] = [];
      const starting = startService({
        on: place,
        onLine: (line) => {
          if (line.includes("The next attempt follows")) waits.push(line);
        },
      });
      try {
        try {
          await eventually(async () => waits.length > 0);
        } finally {
          await release();
          await admin.query(`alter role ${role} connection limit -1`);
        }
        const service = await starting;
        expect(waits[0]).toMatch(/DATABASE__MAX_CONNECTIONS: PostgreSQL at .* has no connection left \(53300\)/);
        expect([...service.lines, ...service.errorLines].join()).not.toContain("never-printed");
        expect((await service.call("GET", "/api/health/ready")).status).toBe(200);
      } finally {
        await (await starting).halt();
      }
    },
  );

  test("out of connections while it runs it says so, takes no processor's time, and comes back by itself", async () => {
    const service = await start({});
    try {
      const release = await occupy(40, 40);
      await admin.query(`alter role ${role} connection limit 0`);
      await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}'`);
      // Their sessions do not end at the same moment.
      await eventually(async () => {
        const { status, json } = await service.call("GET", "/api/health/ready");
        return status === 503 && ["database", "queue"].every((part) => json.failing.includes(part));
      });
      expect((await service.call("GET", "/datasets")).json.code).toBe("DATABASE_UNAVAILABLE");
      const before = cpuSeconds(service.pid);
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      expect(cpuSeconds(service.pid) - before).toBeLessThan(1); // Of four.
      // The first line may say that the old connections were ended, and nobody asks again by himself.
      await eventually(async () => {
        await service.call("GET", "/api/health/ready");
        return service.lines.some(
          (line) => /not ready/.test(line) && /DATABASE__MAX_CONNECTIONS: PostgreSQL/.test(line),
        );
      });
      await release();
      await admin.query(`alter role ${role} connection limit -1`);
      await eventually(async () => (await service.call("GET", "/api/health/ready")).status === 200);
      expect((await service.train(datasetId)).json.status).toBe("succeeded");
      expect([...service.lines, ...service.errorLines].join()).not.toContain("never-printed");
    } finally {
      await admin.query(`alter role ${role} connection limit -1`);
      await service.halt();
    }
  });

  test("a listener that lost its server asks for it ever more slowly, and hears again", async () => {
    const target = new URL(place.databaseUrl);
    let isShut = false;
    const attempts: number[] = [];
    const sockets = new Set<Socket>();
    const door = createServer((socket) => {
      socket.on("error", () => {});
      if (isShut) {
        attempts.push(performance.now());
        socket.destroy();
        return;
      }
      const behind = connect(Number(target.port), target.hostname);
      behind.on("error", () => {});
      for (const each of [socket, behind]) sockets.add(each);
      socket.pipe(behind).pipe(socket);
    });
    await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
    const url = new URL(place.databaseUrl);
    const address = door.address();
    url.port = String(typeof address === "object" ? address?.port : "");
    const store = await openStore({ databaseUrl: url.toString(), dataDir: place.dataDir });
    const heard: string[] = [];
    const stop = await store.listen("back_off", (payload) => heard.push(payload));
    try {
      isShut = true;
      for (const socket of sockets) socket.destroy();
      await eventually(async () => attempts.length >= 4);
      // Each wait is at least half of what it may be, which doubles; a busy machine makes any of them longer, none shorter.
      const gaps = attempts.slice(1, 4).map((at, index) => at - (attempts[index] ?? 0));
      for (const [index, gap] of gaps.entries()) expect(gap).toBeGreaterThan(500 * 2 ** index - 50);
      isShut = false;
      await eventually(async () => {
        await admin.query("select pg_notify('back_off', 'again')");
        return heard.includes("again");
      });
    } finally {
      await stop();
      await store.stop();
      for (const socket of sockets) socket.destroy();
      door.close();
    }
  });
});
