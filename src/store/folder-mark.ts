import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../errors.ts";

/** @throws what `fault` makes, where a file of that name stands in the folder: while it does, no service starts there */
export async function refuseMark(dataDir: string, markName: string, fault: () => Error): Promise<void> {
  try {
    await stat(join(dataDir, markName));
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return;
    throw error;
  }
  throw fault();
}
