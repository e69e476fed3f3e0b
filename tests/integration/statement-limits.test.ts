import { connect, createServer, type Socket } from "node:net";
import { sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLog } from "../../src/log.ts";
import { startQueue } from "../../src/queue/job-queue.ts";
import { notify, openStore, type Store } from "../../src/store/database.ts";
import { createDatabase, dropDatabase } from "../support/service.ts";

const limitSeconds = 0.5;

/** A way to PostgreSQL on which nothing passes any more once it is cut, and nobody is told. */
async function wayTo(target: URL): Promise<{ port: number; cut(): void } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  let pairs: [Socket, Socket][] = [];
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    near.pipe(far).pipe(near);
    pairs.push([near, far]);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    cut() {
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
      }
      pairs = [];
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe.runIf(process.env.TEST_DATABASE_URL)("limits of statements on PostgreSQL", () => {
  let databaseUrl: string;
  const open = (url = databaseUrl): Promise<Store> =>
    openStore({ databaseUrl: url, dataDir: "/nowhere", databaseTimeoutSeconds: limitSeconds });

  beforeAll(async () => {
    databaseUrl = await createDatabase();
    await (await open()).stop();
  });
  afterAll(() => dropDatabase(databaseUrl));

  /** What is done while somebody else holds that table. */
  async function whileLocked<Value>(table: string, heldMs: number, work: () => Promise<Value>): Promise<Value> {
    const other = new pg.Client({ connectionString: databaseUrl });
    await other.connect();
    try {
      await other.query(`begin; lock table ${table} in access exclusive mode`);
      const release = setTimeout(() => void other.query("rollback"), heldMs);
      try {
        return await work();
      } finally {
        clearTimeout(release);
      }
    } finally {
      await other.end();
    }
  }
  const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
    const startMs = performance.now();
    await work();
    return (performance.now() - startMs) / 1000;
  };

  test("a statement that waits for somebody's lock is ended, and its connection serves on", async () => {
    const store = await open();
    try {
      await whileLocked("datasets", 600_000, async () => {
        const asked = store.db.selectFrom("datasets").selectAll().execute();
        await expect(asked).rejects.toMatchObject({ code: "57014" });
      });
      expect(await store.db.selectFrom("datasets").selectAll().execute()).toEqual([]);
      expect(store.connections()).toMatchObject({ idle: 1, used: 0 });
    } finally {
      await store.stop();
    }
  });

  test("migrations of tables and of the queue take as long as they take", async () => {
    const first = await open();
    await (await startQueue(first, { log: createLog("fatal") })).stop();
    await first.stop();
    let store: Store | undefined;
    const heldMs = 1_500 + limitSeconds * 1000;
    try {
      const opening = () =>
        whileLocked("kysely_migration", heldMs, async () => {
          store = await open();
        });
      expect(await secondsOf(opening)).toBeGreaterThan(1.5);
      const starting = () =>
        whileLocked("pgboss.version", heldMs, async () => {
          const options = { log: createLog("fatal"), databaseTimeoutSeconds: limitSeconds };
          const queue = await startQueue(store!, options);
          await queue.stop();
        });
      expect(await secondsOf(starting)).toBeGreaterThan(1.5);
    } finally {
      await store?.stop();
    }
  });

  test("statements without an answer are given up, each with its connection; who listens hears again", async () => {
    await using way = await wayTo(new URL(databaseUrl));
    const url = new URL(databaseUrl);
    url.host = `127.0.0.1:${way.port}`;
    const store = await open(url.href);
    const heard: string[] = [];
    const stopListening = await store.listen("limits_test", (payload) => heard.push(payload));
    try {
      const silent = store.db.transaction().execute(async (tx) => {
        await sql`select 1`.execute(tx);
        way.cut();
        await sql`select 2`.execute(tx);
      });
      await expect(silent).rejects.toMatchObject({ name: "NoAnswerError", code: "ETIMEDOUT" });
      expect(store.connections()).toMatchObject({ idle: 0, used: 0, pending: 0 });
      expect((await sql<{ one: number }>`select 1 as one`.execute(store.db)).rows).toEqual([{ one: 1 }]);
      // Nobody was told that the listening connection is dead: it is found by asking, every ten seconds.
      const hears = async (): Promise<number> => {
        await notify(store.db, "limits_test", "again");
        return heard.length;
      };
      await expect.poll(hears, { interval: 500 }).toBeGreaterThan(0);
    } finally {
      await stopListening();
      await store.stop();
    }
  });

  test("whoever is cut off from the database can stop", async () => {
    await using way = await wayTo(new URL(databaseUrl));
    const url = new URL(databaseUrl);
    url.host = `127.0.0.1:${way.port}`;
    const store = await open(url.href);
    const stopListening = await store.listen("limits_test", () => {});
    const queue = await startQueue(store, { log: createLog("fatal"), databaseTimeoutSeconds: limitSeconds });
    way.cut();
    // Without limits of their own (10, 1 and 2 s) they would wait for as long as the way stays cut.
    await queue.stop();
    await stopListening();
    await store.stop();
  });
});
