import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { expect, test } from "vitest";
import { eventually } from "../support/service.ts";

const root = new URL("../..", import.meta.url).pathname;

interface Told {
  /** A service that trains, a shell that hears no signal, and the worker that has started both. */
  readonly pids: readonly number[];
  readonly dataDir: string;
  readonly databaseUrl: string;
  readonly folder: string;
}

/** Processes that have this in their environment. */
function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(text);
      } catch {
        return false; // Ended meanwhile.
      }
    })
    .map(Number);
}

async function databaseExists(databaseUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
  await client.connect();
  const name = new URL(databaseUrl).pathname.slice(1);
  const { rows } = await client.query("select 1 from pg_database where datname = $1", [name]);
  await client.end();
  return rows.length > 0;
}

test.runIf(process.platform === "linux")(
  "nothing outlives a run that is killed: no process, folder or database",
  async () => {
    const toldPath = join(mkdtempSync(join(tmpdir(), "killed-run-")), "told.json");
    const command = ["node_modules/vitest/vitest.mjs", "run", "--config", "tests/support/killed-run/vitest.config.ts"];
    const run = spawn(process.execPath, command, {
      cwd: root,
      env: { ...process.env, KILLED_RUN_TOLD: toldPath },
      stdio: "ignore",
      detached: true,
    });
    const isOver = () => run.exitCode !== null || run.signalCode !== null;
    const told = await eventually<Told>(async () => {
      expect(isOver(), "the run has ended by itself").toBe(false);
      return (
        existsSync(toldPath) && readFileSync(toldPath, "utf8") !== "" && JSON.parse(readFileSync(toldPath, "utf8"))
      );
    }, 150);
    const alive = processesWith(told.folder);
    expect(alive).toEqual(expect.arrayContaining([...told.pids]));
    expect(alive.length, "the process that trains is among them").toBeGreaterThan(told.pids.length);
    expect(existsSync(told.dataDir)).toBe(true);

    // The leader of the group and the worker at once, so that neither has time for anything.
    for (const pid of [run.pid ?? 0, told.pids[2] ?? 0]) process.kill(pid, "SIGKILL");

    await eventually(async () => processesWith(told.folder).length === 0);
    await eventually(async () => !existsSync(told.folder));
    if (told.databaseUrl !== "") await eventually(async () => !(await databaseExists(told.databaseUrl)));
    // Its guard too.
    await eventually(async () => !readdirSync("/proc").some((pid) => isGuardOf(pid, told.folder)));
  },
);

function isGuardOf(pid: string, folder: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").includes(folder);
  } catch {
    return false;
  }
}
