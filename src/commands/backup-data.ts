/** `npm run data:backup -- --to FILE`: wires what backs up the embedded database with its files. */
import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { Logger } from "../log.ts";
import type { Config } from "../settings/config.ts";
import { ArchiveError, packData } from "../store/data-archive.ts";
import { lockDataFolder } from "../store/data-folder-lock.ts";
import { optionsOrExit, runCommand } from "./run-command.ts";
import { readEmbeddedSettings, withVerifiedArchive } from "./verified-archive.ts";

const usage = `Writes the embedded database and the files in DATA_DIR into one archive, with the service stopped, and reads it back.

  npm run data:backup -- --to backup.tar.gz     # --to - writes to stdout, and reads nothing back

  --with-gaps   keeps it although rows have lost their files
`;

interface Options {
  readonly to: string;
  readonly acceptsGaps: boolean;
}

function readOptions(): Options | undefined {
  const options = { to: { type: "string" }, "with-gaps": { type: "boolean" } } as const;
  const { to, "with-gaps": acceptsGaps = false } = parseArgs({ options }).values;
  return to === undefined || to === "" ? undefined : { to, acceptsGaps };
}

async function pack(dataDir: string, to: number): Promise<void> {
  const lock = await lockDataFolder(dataDir);
  try {
    await packData(dataDir, to);
  } finally {
    await lock.release();
  }
}

async function backup(config: Config, { to, acceptsGaps }: Options, log: Logger): Promise<void> {
  if (to === "-") return pack(config.dataDir, 1);
  // Under its name it is whole and was read back; it holds what users have sent, so nobody else may read it.
  const part = `${to}.part`;
  if (existsSync(to)) throw new ArchiveError(`${to} is there already: name another file.`);
  const file = await open(part, "wx+", 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new ArchiveError(
      error.code === "EEXIST"
        ? `${part} is there already, of a backup that is being made or was broken off: remove it, or name another file.`
        : `--to: ${part} can't be written (${error.code}).`,
    );
  });
  try {
    await pack(config.dataDir, file.fd);
    await file.sync();
    const written = await open(part, "r");
    try {
      await withVerifiedArchive({ config, from: written.fd, acceptsGaps, log }, () => rename(part, to));
    } finally {
      await written.close();
    }
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  log.info({ file: to }, "database and files are in the archive");
}

const options = optionsOrExit(usage, readOptions);
await runCommand({
  readSettings: readEmbeddedSettings,
  work: (config, log) => backup(config, options, log),
  failed: "the backup failed",
  afterFault: () => "Nothing was backed up.",
  logsToStderr: options.to === "-",
});
