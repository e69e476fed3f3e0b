import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { countDistinct } from "../../../src/datasets/engines/count-distinct.ts";
import { createCsvEngines } from "../../../src/datasets/engines/csv-engines.ts";
import type { FileStorage } from "../../../src/storage/file-storage.ts";
import { plainDialect } from "../../../src/tables/dialect.ts";

test("a copy out of a bucket is there until it has been read", async () => {
  const folder = await mkdtemp(join(tmpdir(), "count-distinct-"));
  const path = join(folder, "copy.csv");
  const csvEngines = createCsvEngines(folder);
  const removed: string[] = [];
  const storage = {
    temporaryPath: (name: string) => join(folder, name),
    discard: (temporaryPath: string) => rm(temporaryPath, { force: true }),
    async localFile() {
      await writeFile(path, "a,b\n1,x\n2,y\n3,x\n");
      const dispose = async (): Promise<void> => {
        await rm(path);
        removed.push(path);
      };
      return { path, [Symbol.asyncDispose]: dispose };
    },
  } as unknown as FileStorage;
  try {
    const file = { id: "one", sizeBytes: 16, sha256: "", dialect: plainDialect };
    expect(await countDistinct({ storage, csvEngines }, "anna", file, 0)).toBe(3);
    expect(await countDistinct({ storage, csvEngines }, "anna", file, 1)).toBe(2);
    expect(removed).toHaveLength(2);
  } finally {
    await csvEngines.stop();
    await rm(folder, { recursive: true });
  }
});
