import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, inject } from "vitest";
import { openLocalStorage } from "../../../src/storage/local-storage.ts";
import { openStore } from "../../../src/store/database.ts";
import { describeStorage } from "../../support/storage-contract.ts";

const folders: string[] = [];
const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "local-storage-"));
  folders.push(folder);
  return folder;
};
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

describeStorage(
  "a local folder",
  async () => {
    const folder = await newFolder();
    return {
      storage: await openLocalStorage(folder),
      damage: (kind, id, content) => writeFile(join(folder, kind, id), content),
      again: () => openLocalStorage(folder),
    };
  },
  async () => {
    const dataDir = await newFolder();
    await cp(inject("migratedFolder"), dataDir, { recursive: true });
    return openStore({ databaseUrl: "", dataDir });
  },
);
