import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isSystemError } from "../errors.ts";

const settleMs = 50;

/** Another living process holds the embedded database. */
export class DataFolderLockedError extends Error {
  constructor(folder: string, pid: number) {
    super(
      `The data folder ${folder} is in use by process ${pid}. One process at a time can open the embedded database: ` +
        "stop that one, choose another DATA_DIR, or set DATABASE_URL to share a PostgreSQL.",
    );
    this.name = "DataFolderLockedError";
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isSystemError(error, "EPERM");
  }
}

/** When that process started, in clock ticks since boot: a pid alone is reused, after a reboot or in a container. */
async function startTicks(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    // No /proc on this system: the pid alone has to do.
    return "";
  }
}

/**
 * Takes the folder for this process: PGlite has no lock of its own, and two processes would corrupt it.
 * @throws DataFolderLockedError while another living process holds it
 */
export async function lockDataFolder(folder: string): Promise<{ release(): Promise<void> }> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "owner.lock");
  const mine = `${process.pid} ${await startTicks(process.pid)}`;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      const handle = await open(path, "wx");
      await handle.writeFile(mine);
      await handle.close();
      // Two processes that find the same dead owner may both have removed a lock, the second one ours.
      await delay(settleMs);
      if ((await readFile(path, "utf8").catch(() => "")) !== mine) continue;
      return { release: () => rm(path, { force: true }) };
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
    }
    const [pidText = "", ticks = ""] = (await readFile(path, "utf8")).split(" ");
    const pid = Number(pidText);
    if (pid > 0 && pid !== process.pid && isAlive(pid) && (ticks === "" || ticks === (await startTicks(pid)))) {
      throw new DataFolderLockedError(folder, pid);
    }
    // Its owner is dead: killed before it could let go. Unless somebody has taken it since we looked.
    if ((await readFile(path, "utf8").catch(() => "")) === `${pidText} ${ticks}`) await rm(path, { force: true });
  }
  throw new Error(`The lock ${path} changes hands too fast; try again.`);
}
