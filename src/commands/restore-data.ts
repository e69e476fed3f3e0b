/** `npm run data:restore -- --from FILE`: wires what puts a backup in the place of the embedded database and its files. */
import { type FileHandle, open } from "node:fs/promises";
import { parseArgs } from "node:util";
import { systemClock } from "../clock.ts";
import type { Logger } from "../log.ts";
import type { Config } from "../settings/config.ts";
import { ArchiveError } from "../store/data-archive.ts";
import { lockDataFolder } from "../store/data-folder-lock.ts";
import { replaceData } from "../store/replace-data.ts";
import { optionsOrExit, runCommand } from "./run-command.ts";
import { readEmbeddedSettings, withVerifiedArchive } from "./verified-archive.ts";

const usage = `Puts an archive of data:backup in the place of the embedded database and the files in DATA_DIR, with the service stopped.

  npm run data:restore -- --from backup.tar.gz     # --from - reads stdin

  --check       only reads it: unpacks it beside the data, opens its database and reads every row's file
  --with-gaps   takes it although rows have lost their files

What was there is kept in DATA_DIR/replaced-<time>. An archive that is not whole is refused, and nothing changes.
`;

interface Options {
  readonly from: string;
  readonly onlyChecks: boolean;
  readonly acceptsGaps: boolean;
}

function readOptions(): Options | undefined {
  const options = { from: { type: "string" }, check: { type: "boolean" }, "with-gaps": { type: "boolean" } } as const;
  const { from, check: onlyChecks = false, "with-gaps": acceptsGaps = false } = parseArgs({ options }).values;
  return from === undefined || from === "" ? undefined : { from, onlyChecks, acceptsGaps };
}

async function openArchive(path: string): Promise<FileHandle> {
  return open(path, "r").catch((error: NodeJS.ErrnoException) => {
    throw new ArchiveError(`--from: ${path} can't be read (${error.code}).`);
  });
}

/** What was there may have been put aside already. */
let hasBegun = false;

async function restore(config: Config, { from, onlyChecks, acceptsGaps }: Options, log: Logger): Promise<void> {
  await using resources = new AsyncDisposableStack();
  const file = from === "-" ? undefined : await openArchive(from);
  resources.defer(async () => void (await file?.close()));
  const archive = { config, from: file?.fd ?? 0, acceptsGaps, log };
  // Awaited here: the archive is closed at the end of this function.
  if (onlyChecks) return await withVerifiedArchive(archive, async () => log.info("the archive is whole"));
  const lock = await lockDataFolder(config.dataDir);
  resources.defer(() => lock.release());
  await withVerifiedArchive({ ...archive, isLocked: true }, async (unpacked) => {
    hasBegun = true;
    const replaced = await replaceData(config.dataDir, unpacked, new Date(systemClock.nowMs()));
    log.info({ replaced }, "the backup is in place; what was there before is kept until you remove it");
  });
}

const options = optionsOrExit(usage, readOptions);
await runCommand({
  readSettings: readEmbeddedSettings,
  work: (config, log) => restore(config, options, log),
  failed: "the restore failed",
  afterFault: () => (hasBegun ? "" : "Nothing was replaced."),
});
