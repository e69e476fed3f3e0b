import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { eventually, type RunningService } from "./service.ts";

/** Removes the files that a dataset's table is read from behind the service's back: what was sent, and all typed copies. */
export async function loseTable(service: RunningService, datasetId: string): Promise<void> {
  // One that is made later would be read.
  await eventually(async () => (await service.call("GET", `/datasets/${datasetId}`)).json.typedBytes !== null);
  const files = join(service.dataDir, "files");
  await rm(join(files, "dataset", datasetId));
  for (const name of await readdir(join(files, "typed"))) await rm(join(files, "typed", name));
}
