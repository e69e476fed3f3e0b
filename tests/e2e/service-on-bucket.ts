import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { FileKind } from "../../src/storage/file-storage.ts";
import { type RunningService, startService } from "../support/service.ts";
import type { VersitygwProcess } from "./versitygw-process.ts";

/** A service whose files are in a bucket. */
export interface S3Service {
  readonly service: RunningService;
  readonly bucket: string;
  /** Names of the objects of a kind. */
  objects(kind: FileKind): Promise<string[]>;
  temporaryFiles(): Promise<string[]>;
  again(env?: Record<string, string>): Promise<RunningService>;
}

/** The service on the embedded database and a bucket of its own, with its data below `folder`. */
export async function startOnBucket(
  gateway: VersitygwProcess,
  folder: string,
  bucket: string,
  env: Record<string, string> = {},
): Promise<S3Service> {
  await gateway.createBucket(bucket);
  const place = { dataDir: join(folder, `data-${bucket}`), databaseUrl: "" };
  const settings = { ...gateway.env, S3__BUCKET: bucket, S3__MAX_ATTEMPTS: "2", ...env };
  const again = (more: Record<string, string> = {}) => startService({ env: { ...settings, ...more }, on: place });
  return {
    service: await again(),
    bucket,
    objects: async (kind) => {
      const path = join(gateway.folderOf(bucket), kind);
      return existsSync(path) ? readdir(path) : [];
    },
    temporaryFiles: () => readdir(join(place.dataDir, "files", "tmp")),
    again,
  };
}
