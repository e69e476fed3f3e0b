/** `npm run database:move -- --to postgres`: wires, as src/main.ts does, what moves a deployment to PostgreSQL. */
import { cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import type { Logger } from "../log.ts";
import { prepareQueueTables, queuesOfRows } from "../queue/queue-tables.ts";
import { type Config, ConfigError, readConfig } from "../settings/config.ts";
import { claimFiles } from "../storage/claim-files.ts";
import { copyFiles } from "../storage/copy-files.ts";
import { openStorage } from "../storage/open-storage.ts";
import { verifyFiles } from "../storage/verify-files.ts";
import { lockDataFolder } from "../store/data-folder-lock.ts";
import { openStore, type Store } from "../store/database.ts";
import { MoveRefusedError, moveRows } from "../store/move-rows.ts";
import { markMoved } from "../store/moved-mark.ts";
import { isServed } from "../store/served.ts";
import { optionsOrExit, runCommand } from "./run-command.ts";

const usage = `Moves the rows and jobs of the embedded database in DATA_DIR to the PostgreSQL of DATABASE_URL, with the service stopped.

  npm run database:move -- --to postgres

All rows are there in the end, compared, or none; the embedded database stays as it is, and DATA_DIR/database.moved keeps a
service from starting on it by mistake. With STORAGE_BACKEND=s3 the files are copied to the bucket first. Broken off, it is
called again.
`;

/** The embedded database as it was, so that nothing is written into it: opening it alone would. */
const copyName = "database.moving";

function readTarget(): "postgres" | undefined {
  const { to } = parseArgs({ options: { to: { type: "string" } } }).values;
  return to === "postgres" ? to : undefined;
}

function readSettings(): Config {
  const config = readConfig(process.env);
  if (config.databaseUrl === "") throw new ConfigError(["DATABASE_URL is empty: it says where to move to"]);
  return config;
}

/** Opens a copy of the embedded database, which is locked as long and removed in the end. */
async function openSource(config: Config, resources: AsyncDisposableStack, log: Logger): Promise<Store> {
  const { dataDir } = config;
  const lock = await lockDataFolder(dataDir);
  resources.defer(() => lock.release());
  const names = await readdir(dataDir);
  // Without its mark it may be half made, and would be moved aside and made anew: nothing would be moved, and nobody told.
  if (!names.includes("database") || !names.includes("database.ready"))
    throw new MoveRefusedError(
      `DATA_DIR: ${dataDir} holds no embedded database, or none that was made whole (database.ready): start the service on it once.`,
    );
  const copy = join(dataDir, copyName);
  await rm(copy, { recursive: true, force: true });
  resources.defer(() => rm(copy, { recursive: true, force: true }));
  for (const name of ["database", "database.ready"])
    await cp(join(dataDir, name), join(copy, name), { recursive: true });
  const store = await openStore({ databaseUrl: "", dataDir: copy });
  resources.defer(() => store.stop());
  await prepareQueueTables(store, { log, trainingTimeoutSeconds: config.trainingTimeoutSeconds });
  return store;
}

/** Opens PostgreSQL with the tables that the rows go into. */
async function openTarget(config: Config, resources: AsyncDisposableStack, log: Logger): Promise<Store> {
  const store = await openStore(config);
  resources.defer(() => store.stop());
  if (await isServed(store))
    throw new MoveRefusedError("A service is connected to the database of DATABASE_URL: stop it.");
  await prepareQueueTables(store, { log, trainingTimeoutSeconds: config.trainingTimeoutSeconds });
  return store;
}

/** Copies the files to the bucket, or verifies them where they stay. @returns whether each row has its file */
async function settleFiles(config: Config, source: Store, log: Logger): Promise<boolean> {
  const { db } = source;
  await using resources = new AsyncDisposableStack();
  const local = await openStorage({ ...config, storageBackend: "local" });
  resources.defer(() => local.stop());
  if (config.storageBackend === "local") {
    const report = await verifyFiles({ db, storage: local, log });
    log.info({ place: local.place.name, ...report }, "files stay where they are");
    return report.missing + report.damaged + report.failed === 0;
  }
  const bucket = await openStorage(config);
  resources.defer(() => bucket.stop());
  await claimFiles(db, bucket);
  const report = await copyFiles({ db, from: local, to: bucket, log });
  log.info({ place: bucket.place.name, ...report }, "files are in the bucket");
  return report.missing + report.damaged + report.failed === 0;
}

async function move(config: Config, log: Logger): Promise<void> {
  await using resources = new AsyncDisposableStack();
  const source = await openSource(config, resources, log);
  const target = await openTarget(config, resources, log);
  if (source.engine.kind !== "pglite" || target.engine.kind !== "postgres")
    throw new Error("The engines are mixed up.");
  // Before the rows: a service that starts on them finds its files.
  if (!(await settleFiles(config, source, log)))
    throw new MoveRefusedError(
      "Not every row has its file: the lines before name them. Put them back, or start the service as it was and delete those datasets and models.",
    );
  const client = new pg.Client({ ...target.engine.client, application_name: "mlops-backend-move" });
  client.on("error", () => {}); // A connection that breaks: its statement rejects.
  await client.connect();
  resources.defer(() => client.end());
  const { pglite } = source.engine;
  log.info({ to: "DATABASE_URL" }, "moving rows and jobs");
  const { wereThere, replacedEmpty, tables } = await moveRows(
    { query: (text) => pglite.query(text) },
    { query: (text, values) => client.query(text, values) },
    queuesOfRows,
  );
  await markMoved(config.dataDir);
  if (replacedEmpty)
    log.info(
      "an empty deployment was in the new database, of a service that was started on it once: ours has taken its place",
    );
  log.info({ tables }, wereThere ? "all rows and jobs were there already" : "all rows and jobs are there");
}

optionsOrExit(usage, readTarget);
await runCommand({
  readSettings,
  work: move,
  failed: "moving failed: call it again, it says whether all is there or moves it",
});
