import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { freePort } from "../support/free-port.ts";
import { eventually, OwnProcess } from "./processes.ts";

const binary = process.env.VERSITYGW_BIN ?? "versitygw";
const accessKeyId = "test-access";
const secretAccessKey = "test-secret-c0ffee";

/** A real S3 server on a folder; what it holds outlives a restart. */
export interface VersitygwProcess extends AsyncDisposable {
  readonly endpoint: string;
  readonly client: S3Client;
  /** Settings of a service that keeps its files there. */
  readonly env: Readonly<Record<string, string>>;
  /** The folder of a bucket. */
  folderOf(bucket: string): string;
  createBucket(bucket: string): Promise<void>;
  /** Lets it take connections and answer nobody. */
  pause(): void;
  goOn(): void;
  /** Ends it without asking. */
  kill(): Promise<void>;
  /** Brings it back on the same port and folder. */
  restart(): Promise<void>;
}

/** Starts versitygw on its backend for a POSIX file system. */
export async function startVersitygw(folder: string): Promise<VersitygwProcess> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const parameters = ["--access", accessKeyId, "--secret", secretAccessKey, "--port", `127.0.0.1:${port}`];
  const client = new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  });
  let current: OwnProcess;
  const restart = async (): Promise<void> => {
    current = new OwnProcess(binary, [...parameters, "posix", folder]);
    await eventually("versitygw", 30, async () => ((await fetch(endpoint)).status > 0 ? true : undefined));
  };
  await restart();
  return {
    endpoint,
    client,
    env: {
      STORAGE_BACKEND: "s3",
      S3__ENDPOINT: endpoint,
      S3__FORCE_PATH_STYLE: "true",
      S3__ACCESS_KEY_ID: accessKeyId,
      S3__SECRET_ACCESS_KEY: secretAccessKey,
    },
    folderOf: (bucket) => join(folder, bucket),
    async createBucket(bucket) {
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
    },
    pause: () => current.pause(),
    goOn: () => current.goOn(),
    kill: () => current.kill(),
    restart,
    async [Symbol.asyncDispose]() {
      client.destroy();
      await current[Symbol.asyncDispose]();
    },
  };
}
