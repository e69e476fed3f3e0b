import { join } from "node:path";
import { freePort } from "../support/free-port.ts";
import { type OwnProcess, root, startService } from "./processes.ts";

/** The service on one port and data folder for the time of a test, however often it is started. */
export interface FaultyService {
  readonly url: string;
  /** host:port */
  readonly target: string;
  readonly dataDir: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Another one beside it on the same database, with other settings. @returns its host:port */
  startBeside(env: NodeJS.ProcessEnv): Promise<string>;
  call(method: string, path: string, body?: object): Promise<Response>;
  upload(csv: string | Uint8Array<ArrayBuffer>, name: string): Promise<Response>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts it on a PostgreSQL: quicker and smaller than with the embedded one. It breaks on demand, see the script. */
export async function startFaultyService(
  folder: string,
  databaseUrl: string,
  env: NodeJS.ProcessEnv,
): Promise<FaultyService> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const dataDir = join(folder, "data");
  const settings = {
    DATABASE_URL: databaseUrl,
    PROMETHEUS__CREATED: "true",
    SHUTDOWN_GRACE_SECONDS: "1",
    NODE_OPTIONS: `--require=${join(root, "tests/support/break-on-demand.cjs")}`,
    FAULTS: folder,
    ...env,
  };
  await using beside = new AsyncDisposableStack();
  let current: OwnProcess | undefined;
  const start = async (): Promise<void> => {
    current = (await startService(dataDir, { ...settings, SERVICE_PORT: String(port) })).service;
  };
  await start();
  const running = beside.move();
  return {
    url,
    target: new URL(url).host,
    dataDir,
    start,
    kill: async () => current?.kill(),
    async startBeside(more) {
      const other = await startService(dataDir, { ...settings, ...more, SERVICE_PORT: "0" });
      running.use(other.service);
      return new URL(other.url).host;
    },
    call: (method, path, body) =>
      fetch(`${url}/api/ml/v1${path}`, {
        method,
        ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      }),
    upload(csv, name) {
      const form = new FormData();
      form.append("file", new Blob([csv]), "data.csv");
      form.append("name", name);
      return fetch(`${url}/api/ml/v1/datasets/upload`, { method: "POST", body: form });
    },
    async [Symbol.asyncDispose]() {
      await current?.[Symbol.asyncDispose]();
      await running.disposeAsync();
    },
  };
}
