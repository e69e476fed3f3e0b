/**
 * A process beside a run of tests: when the run is gone, it ends what is left of it. Its processes are those that have the
 * run's folder in their environment; Linux shows that of each in /proc, elsewhere only folders and databases are removed.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";

const [folder = ""] = process.argv.slice(2);
const server = process.env.TEST_DATABASE_URL ?? "";

/** What a file of /proc says; nothing of a process that has ended meanwhile, or that is another user's. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function processesOfTheRun(): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(`/proc/${pid}/environ`).includes(folder))
    .map(Number);
}

/** Until there are none: one may be starting another at this moment. */
async function endProcesses(): Promise<void> {
  for (let calm = 0; calm < 3; ) {
    const pids = processesOfTheRun();
    calm = pids.length === 0 ? calm + 1 : 0;
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
    await delay(100);
  }
}

/** What tests have mounted to fill it. */
function unmountFolders(): void {
  const places = read("/proc/mounts")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((place) => place.startsWith(`${folder}/`));
  for (const place of places.reverse()) spawnSync("umount", ["--lazy", place], { stdio: "inherit" });
}

/** On the PostgreSQL that other runs use too. */
async function dropDatabases(): Promise<void> {
  if (server === "") return;
  const ofTheRun = `test_${basename(folder).replaceAll("-", "_").toLowerCase()}_`;
  const client = new pg.Client({ connectionString: server });
  client.on("error", () => {}); // A server that goes away takes its databases along.
  try {
    await client.connect();
  } catch {
    return; // So does one that has gone.
  }
  const { rows: databases } = await client.query(
    "select datname as name from pg_database where starts_with(datname, $1)",
    [ofTheRun],
  );
  for (const { name } of databases) await client.query(`drop database if exists ${name} with (force)`);
  const { rows: roles } = await client.query("select rolname as name from pg_roles where starts_with(rolname, $1)", [
    ofTheRun,
  ]);
  for (const { name } of roles) await client.query(`drop role if exists ${name}`);
  await client.end();
}

process.stdin.resume();
await once(process.stdin, "end");
await endProcesses();
unmountFolders();
await rm(folder, { recursive: true, force: true });
await dropDatabases();
