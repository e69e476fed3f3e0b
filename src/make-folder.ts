import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isSystemError } from "./errors.ts";

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}

/**
 * Makes a folder and those around it, one by one: `mkdir` with `recursive` never ends where the system says ENOENT of a
 * folder whose parent is there, as below /proc, and its thread keeps the process from ending, too (seen on Node 24,
 * November 2026).
 * @throws what the system says of the first that can't be made
 */
export async function makeFolder(path: string): Promise<void> {
  const missing = [resolve(path)];
  for (let at = resolve(path); !(await isThere(dirname(at))); at = dirname(at)) missing.push(dirname(at));
  for (const folder of missing.reverse()) {
    try {
      await mkdir(folder);
    } catch (error) {
      const isFolder = isSystemError(error, "EEXIST") && (await stat(folder).catch(() => undefined))?.isDirectory();
      if (isFolder !== true) throw error;
    }
  }
}
