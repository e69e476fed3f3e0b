import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { cp, mkdtemp, open, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { startRaw } from "../support/raw-service.ts";
import { createDatabase, dropDatabase } from "../support/service.ts";

const onPostgres = Boolean(process.env.TEST_DATABASE_URL);
const embedded = test.skipIf(onPostgres);
const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

let folder: string;
let databaseUrl: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "start-faults-"));
  chmodSync(folder, 0o755);
  databaseUrl = await createDatabase();
});
afterAll(async () => {
  await dropDatabase(databaseUrl);
  await rm(folder, { recursive: true, force: true });
});

/** Holds that the start ends with 1, one line on stderr, and the same in the log; nothing stays locked. */
async function expectLine(dataDir: string, line: RegExp, options: Parameters<typeof startRaw>[1] = {}): Promise<void> {
  const service = startRaw({ dataDir, databaseUrl }, options);
  const code = await service.ended;
  expect({ code, said: service.errorLines }).toEqual({ code: 1, said: [expect.stringMatching(line)] });
  const fatal = service.lines.find((each) => each.includes('"level":"fatal"')) ?? "{}";
  expect(JSON.parse(fatal)).toMatchObject({ level: "fatal", msg: "start failed" });
  expect(fatal).not.toContain('"stack"');
  if (existsSync(dataDir)) expect(existsSync(join(dataDir, "owner.lock"))).toBe(false);
}

async function copyOfDatabase(name: string): Promise<string> {
  const dataDir = join(folder, name);
  await cp(inject("migratedFolder"), dataDir, { recursive: true });
  return dataDir;
}

test.each(["/proc/below/data", "/proc/self/data", "/sys/data", "/dev/null", "/dev/null/data", "/dev/full"])(
  "DATA_DIR=%s ends the start in a line",
  (dataDir) =>
    expectLine(dataDir, /^DATA_DIR: \/\S+ can't be written \(E[A-Z]+\): name a folder that this user may write\.$/),
);

test("so does one behind links that lead in a circle, and a name that is too long", async () => {
  await symlink("two", join(folder, "one"));
  await symlink("one", join(folder, "two"));
  await expectLine(join(folder, "one", "data"), /^DATA_DIR: \S+ can't be written \(ELOOP\): name a folder/);
  await expectLine(join(folder, "n".repeat(300)), /^DATA_DIR: \S+ can't be written \(ENAMETOOLONG\): name a folder/);
});

embedded("a damaged database, or one of another PostgreSQL, says which folder it is and what to do", async () => {
  const torn = await copyOfDatabase("torn");
  for (const name of await readdir(join(torn, "database/pg_wal")))
    await rm(join(torn, "database/pg_wal", name), { recursive: true });
  await rm(join(torn, "database/base/1"), { recursive: true });
  const damaged =
    /^DATA_DIR: the embedded database in \S+\/database does not open \(PGlite: .+\): it is damaged\. Restore a backup .+ or move DATA_DIR away to begin anew\.$/;
  await expectLine(torn, damaged);

  const scribbled = await copyOfDatabase("scribbled");
  const control = await open(join(scribbled, "database/global/pg_control"), "r+");
  await control.write(Buffer.alloc(512, "x"));
  await control.close();
  await expectLine(scribbled, damaged);

  const old = await copyOfDatabase("old");
  await writeFile(join(old, "database/PG_VERSION"), "17\n");
  await expectLine(
    old,
    /^DATA_DIR: the embedded database in \S+ is of PostgreSQL 17, and this release has \d+: start the release/,
  );
});

test.skipIf(onPostgres || !isRoot)("a folder, or one file in it, that belongs to another user is named", async () => {
  const theirs = await copyOfDatabase("theirs");
  const line = (path: string): RegExp => new RegExp(`^DATA_DIR: ${path} can't be written \\(EACCES\\): name a folder`);
  await expectLine(theirs, line(join(theirs, "owner\\.lock")), { uid: nobody });
  chownSync(theirs, nobody, nobody);
  await expectLine(theirs, line(join(theirs, "database\\S*")), { uid: nobody });
  execFileSync("chown", ["-R", String(nobody), theirs]);
  const one = join(theirs, "database/base/1/PG_VERSION");
  chownSync(one, 0, 0);
  chmodSync(one, 0o600);
  await expectLine(theirs, line(one), { uid: nobody });
});

embedded("too few open files are told before anything fails by them", async () => {
  const dataDir = await copyOfDatabase("few-files");
  await expectLine(dataDir, /^ulimit -n: this process may have 128 files open \(EMFILE\), .+ needs \d+: raise it\.$/, {
    before: "ulimit -n 128",
  });
});

test.skipIf(onPostgres || !isRoot)(
  "a full disk and one that is read-only are told, with a database there or none",
  async () => {
    const dataDir = join(folder, "disk");
    mkdirSync(dataDir);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", dataDir]);
    try {
      await expectLine(dataDir, /^DATA_DIR: .*\(ENOSPC\).*make room/);
      execFileSync("mount", ["-o", "remount,ro", dataDir]);
      await expectReadOnly(dataDir);
    } finally {
      execFileSync("umount", [dataDir]);
    }
  },
);

/** The lock is left by nobody; and none can be made. */
async function expectReadOnly(dataDir: string): Promise<void> {
  await expectLine(dataDir, /^DATA_DIR: \S+ can't be written \(EROFS\): name a folder that this user may write\.$/);
}
