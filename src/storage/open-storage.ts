import { join } from "node:path";
import type { Config } from "../settings/config.ts";
import type { FileStorage } from "./file-storage.ts";
import { openLocalStorage } from "./local-storage.ts";
import type { S3Settings } from "./s3-settings.ts";

/** The storage that STORAGE_BACKEND names. @throws StorageFault when it can't be used */
export async function openStorage(
  config: Pick<Config, "storageBackend" | "dataDir"> & S3Settings,
): Promise<FileStorage> {
  const folder = join(config.dataDir, "files");
  if (config.storageBackend === "local") return openLocalStorage(folder);
  // Only here: who keeps files locally does not load the SDK.
  const { openS3Storage } = await import("./s3-storage.ts");
  return openS3Storage(config, folder);
}
