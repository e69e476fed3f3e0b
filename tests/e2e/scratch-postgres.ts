import { execFile, execFileSync } from "node:child_process";
import { chownSync, existsSync, globSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { freePort } from "../support/free-port.ts";

/** A PostgreSQL of a test's own, that it may stop. */
export interface ScratchPostgres {
  readonly port: number;
  newDatabase(): Promise<string>;
  /** Asks as the superuser by its socket, whatever the address takes. */
  ask(database: string, text: string): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** «fast» ends sessions in order, «immediate» like a crash, and recovers. */
  restart(mode: "fast" | "immediate"): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const execute = promisify(execFile);

function binaries(): string {
  const folders = [process.env.POSTGRES_BIN, ...globSync("/usr/lib/postgresql/*/bin").sort().reverse()];
  const found = folders.find((folder) => folder !== undefined && existsSync(join(folder, "initdb")));
  if (found === undefined) throw new Error("No PostgreSQL: set POSTGRES_BIN to the folder of initdb and pg_ctl.");
  return found;
}

/** What a test may set up differently. */
interface ScratchOptions {
  /** Writes into the new data folder, before the first start. */
  readonly configure?: (dataFolder: string) => void;
  /** Who gets in by TCP and how, in lines of pg_hba.conf; else everybody does. */
  readonly clients?: readonly string[];
  /** Of the server, as `-c name=value`; the last one wins. */
  readonly settings?: readonly string[];
}

/** Starts it in `folder`, which user postgres must be able to reach: PostgreSQL does not run as root. */
export async function startScratchPostgres(
  folder: string,
  { configure, clients, settings = [] }: ScratchOptions = {},
): Promise<ScratchPostgres> {
  const bin = binaries();
  const isRoot = userInfo().uid === 0;
  const run = async (program: string, ...parameters: string[]): Promise<void> => {
    const command = [join(bin, program), ...parameters];
    const [first = "", ...rest] = isRoot ? ["runuser", "-u", "postgres", "--", ...command] : command;
    await execute(first, rest, { cwd: folder });
  };
  mkdirSync(folder, { recursive: true });
  const give = (path: string): void => {
    if (!isRoot) return;
    const id = (what: "-u" | "-g"): number => Number(execFileSync("id", [what, "postgres"], { encoding: "utf8" }));
    chownSync(path, id("-u"), id("-g"));
  };
  give(folder);
  const data = join(folder, "data");
  const port = await freePort();
  await run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N");
  configure?.(data);
  if (clients !== undefined)
    writeFileSync(join(data, "pg_hba.conf"), ["local all all trust", ...clients, ""].join("\n"));
  for (const name of readdirSync(data)) give(join(data, name));
  let isRunning = false;
  const start = async (): Promise<void> => {
    const options = `-c listen_addresses=127.0.0.1 -p ${port} -k ${folder} -c fsync=off -c max_connections=200${settings.map((setting) => ` -c ${setting}`).join("")}`;
    await run("pg_ctl", "-D", data, "-w", "-l", join(folder, "log"), "-o", options, "start");
    isRunning = true;
  };
  const stop = async (mode: "fast" | "immediate" = "immediate"): Promise<void> => {
    if (isRunning) await run("pg_ctl", "-D", data, "-w", "-m", mode, "stop");
    isRunning = false;
  };
  await start();
  const ask = async (database: string, text: string): Promise<Record<string, unknown>[]> => {
    const client = new pg.Client({ host: folder, port, user: "postgres", database });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  let databases = 0;
  return {
    port,
    ask,
    start,
    stop: () => stop(),
    async restart(mode) {
      await stop(mode);
      await start();
    },
    async newDatabase() {
      databases += 1;
      const name = `test_${databases}`;
      await ask("postgres", `create database ${name}`);
      return `postgres://postgres@127.0.0.1:${port}/${name}`;
    },
    [Symbol.asyncDispose]: () => stop(),
  };
}
