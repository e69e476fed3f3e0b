import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { refusedStart } from "../support/service.ts";
import { type ScratchPostgres, startScratchPostgres } from "./scratch-postgres.ts";

const password = "pass-word-of-a-test";
const resources = new AsyncDisposableStack();
let folder: string;
let postgres: ScratchPostgres;
let database: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "database-faults-"));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  postgres = await startScratchPostgres(join(folder, "postgres"), {
    clients: ["host all stranger all reject", "host all all all scram-sha-256"],
  });
  resources.defer(() => postgres[Symbol.asyncDispose]());
  database = new URL(await postgres.newDatabase()).pathname.slice(1);
  for (const role of ["owner", "guest", "stranger"])
    await postgres.ask(database, `create role "${role}" login password '${password}'`);
  await postgres.ask(database, `alter database ${database} owner to "owner"`);
});
afterAll(() => resources.disposeAsync());

const address = (change: Partial<Record<"user" | "word" | "host" | "port" | "name", string | number>>): string => {
  const { user, word, host, port, name } = {
    ...{ user: "owner", word: password, host: "127.0.0.1", port: postgres.port, name: database },
    ...change,
  };
  return `postgres://${user}:${word}@${host}:${port}/${name}`;
};

async function start(databaseUrl: string): Promise<{ code: number | null; stderr: string }> {
  const refused = await refusedStart({ dataDir: join(folder, "files"), databaseUrl });
  expect(refused.stderr).not.toContain(password);
  return refused;
}

const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Exit code 1 and one line that says all of it. */
const says = (...parts: string[]) => ({
  code: 1,
  stderr: expect.stringMatching(new RegExp(`^DATABASE_URL: ${parts.map(literal).join("[^\n]*")}[^\n]*\\.\n$`)),
});

test("each fault of the address is one line that says which part, and what to do; never the password", async () => {
  const place = `127.0.0.1:${postgres.port}`;
  expect(await start(address({ word: "wrong" }))).toEqual(
    says(`PostgreSQL at ${place} refuses the password of user owner`, "(28P01)"),
  );
  expect(await start(address({ user: "nobody" }))).toEqual(
    says(`PostgreSQL at ${place} refuses the password of user nobody`),
  );
  expect(await start(address({ user: "stranger" }))).toEqual(
    says(`PostgreSQL at ${place} does not let user stranger in`, "(28000)"),
  );
  expect(await start(address({ name: "none" }))).toEqual(
    says(`there is no database none at ${place} (3D000)`, "createdb -O owner none"),
  );
  expect(await start(address({ user: "guest" }))).toEqual(
    says(`user guest may not make tables in database ${database}`, "(42501)", "make it the owner"),
  );
  const port = await freePort();
  expect(await start(address({ port }))).toEqual(
    says(`PostgreSQL at 127.0.0.1:${port} can't be reached (ECONNREFUSED)`),
  );
  // The broadcast address: no route leads there.
  expect(await start(address({ host: "255.255.255.255" }))).toEqual(
    says(`PostgreSQL at 255.255.255.255:${postgres.port} can't be reached (ENETUNREACH)`),
  );
  expect(await start(address({ host: "no-such-host.invalid" }))).toEqual(
    says("the host name no-such-host.invalid does not resolve"),
  );
  expect(await start(address({ host: join(folder, "nothing").replaceAll("/", "%2F") }))).toEqual(
    says(`PostgreSQL at ${folder}/nothing can't be reached (ENOENT)`),
  );
});

test("a host that takes the connection and never answers is named after five seconds", async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const listening = silent.address();
  const port = typeof listening === "object" ? (listening?.port ?? 0) : 0;
  try {
    expect(await start(address({ port }))).toEqual(says(`PostgreSQL at 127.0.0.1:${port} does not answer`));
  } finally {
    silent.close();
  }
});
