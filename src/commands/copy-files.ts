/** `npm run storage:copy -- --to s3|local`: wires, as src/main.ts does, what copies a deployment's files. */
import { parseArgs } from "node:util";
import type { Logger } from "../log.ts";
import { type Config, readConfig } from "../settings/config.ts";
import { claimFiles } from "../storage/claim-files.ts";
import { type CopyReport, copyFiles } from "../storage/copy-files.ts";
import { openStorage } from "../storage/open-storage.ts";
import { openStore } from "../store/database.ts";
import { isServed } from "../store/served.ts";
import { optionsOrExit, runCommand } from "./run-command.ts";

const usage = `Copies the files of all datasets and models to the bucket of S3__*, or back to DATA_DIR, and reads each back.

  npm run storage:copy -- --to s3
  npm run storage:copy -- --to local

It goes on where it was broken off, and removes nothing from where it copies.
`;

function readTarget(): "s3" | "local" | undefined {
  const { to } = parseArgs({ options: { to: { type: "string" } } }).values;
  return to === "s3" || to === "local" ? to : undefined;
}

async function copy(config: Config, target: "s3" | "local", log: Logger): Promise<CopyReport> {
  await using resources = new AsyncDisposableStack();
  // On the embedded database this takes its lock, and is refused while the service runs.
  const store = await openStore(config);
  resources.defer(() => store.stop());
  if (await isServed(store))
    log.warn(
      "the service runs: files that it keeps from now on may be left out. Stop it and copy once more at the end",
    );
  const open = async (storageBackend: "s3" | "local") => {
    const storage = await openStorage({ ...config, storageBackend });
    resources.defer(() => storage.stop());
    await claimFiles(store.db, storage);
    return storage;
  };
  const from = await open(target === "s3" ? "local" : "s3");
  const to = await open(target);
  log.info({ from: from.place.name, to: to.place.name }, "copying files");
  return await copyFiles({ db: store.db, from, to, log });
}

const target = optionsOrExit(usage, readTarget);
await runCommand({
  // Both storages are needed, whichever of them is in use: so the settings are held against S3.
  readSettings: () => readConfig({ ...process.env, STORAGE_BACKEND: "s3" }),
  work: async (config, log) => {
    const report = await copy(config, target, log);
    const isWhole = report.missing + report.damaged + report.failed === 0;
    log[isWhole ? "info" : "error"](report, isWhole ? "all files are there" : "not all files are there");
    process.exitCode = isWhole ? 0 : 1;
  },
  failed: "copying failed",
});
