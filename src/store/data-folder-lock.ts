import { rmSync } from "node:fs";
import { open, readFile, readlink, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isSystemError } from "../errors.ts";
import { makeFolder } from "../make-folder.ts";
import { type StartProgress, untoldProgress } from "../start-progress.ts";

const settleMs = 50;
const beatMs = 3_000;
/** Four beats: a busy event loop may miss some. */
const silenceMs = 12_000;

/** Another living process holds the embedded database. */
export class DataFolderLockedError extends Error {
  constructor(folder: string, pid: number, place: string) {
    super(
      `The data folder ${folder} is in use by process ${pid}${place}. One process at a time can open the embedded database: ` +
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

/** Where a pid means something: two containers, or two machines on one network folder, each have a process 1. */
async function pidNamespace(): Promise<string> {
  const namespace = await readlink("/proc/self/ns/pid").catch(() => "pid"); // No /proc: the machine's name has to do.
  return `${hostname()}/${namespace}`.replaceAll(" ", "_");
}

/** Who is out of sight is alive while the lock's time moves on. */
async function isBeating(path: string, ended: AbortSignal): Promise<boolean> {
  const modifiedMs = async (): Promise<number> => (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
  const first = await modifiedMs();
  const endMs = performance.now() + silenceMs;
  while (performance.now() < endMs) {
    await delay(beatMs / 6, undefined, { signal: ended });
    const now = await modifiedMs();
    if (now !== first) return now !== 0; // 0: it was released.
  }
  return false;
}

/**
 * Takes the folder for this process: PGlite has no lock of its own, and two processes would corrupt it.
 * @throws DataFolderLockedError while another living process holds it
 */
export async function lockDataFolder(
  folder: string,
  { say, ended }: Pick<StartProgress, "say" | "ended"> = untoldProgress,
): Promise<{ release(): Promise<void> }> {
  await makeFolder(folder);
  const path = join(folder, "owner.lock");
  const namespace = await pidNamespace();
  const mine = `${process.pid} ${await startTicks(process.pid)} ${namespace}`;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      const handle = await open(path, "wx");
      await handle.writeFile(mine);
      await handle.close();
      // Two processes that find the same dead owner may both have removed a lock, the second one ours.
      await delay(settleMs);
      if ((await readFile(path, "utf8").catch(() => "")) !== mine) continue;
      return keepBeating(path);
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
    }
    const theirs = await readFile(path, "utf8").catch(() => "");
    const [pidText = "", ticks = "", place = namespace] = theirs.split(" ");
    const pid = Number(pidText);
    const isElsewhere = place !== namespace;
    if (isElsewhere)
      say(`process ${pid} of ${place} has locked ${folder}: up to ${silenceMs / 1000} s show whether it lives`);
    const isHeld = isElsewhere
      ? await isBeating(path, ended)
      : pid > 0 && pid !== process.pid && isAlive(pid) && (ticks === "" || ticks === (await startTicks(pid)));
    if (isHeld) throw new DataFolderLockedError(folder, pid, isElsewhere ? ` of ${place}` : "");
    // Its owner is dead: killed before it could let go. Unless somebody has taken it since we looked.
    if ((await readFile(path, "utf8").catch(() => "")) === theirs) await rm(path, { force: true });
  }
  throw new Error(`The lock ${path} changes hands too fast; try again.`);
}

function keepBeating(path: string): { release(): Promise<void> } {
  let beat = Promise.resolve();
  const timer = setInterval(() => {
    const now = new Date();
    // A beat that fails is one that is missed; the next one follows.
    beat = utimes(path, now, now).catch(() => {});
  }, beatMs).unref();
  // Whatever ends the process in its own words: a lock of the dead costs the next start in another container 12 s.
  const atExit = (): void => rmSync(path, { force: true });
  process.once("exit", atExit);
  return {
    async release() {
      process.off("exit", atExit);
      clearInterval(timer);
      await beat;
      await rm(path, { force: true });
    },
  };
}
