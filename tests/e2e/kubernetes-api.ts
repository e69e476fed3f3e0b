import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { freePort } from "../support/free-port.ts";
import { eventually, OwnProcess } from "./processes.ts";

const execute = promisify(execFile);
const token = "test";

/** A real API server of Kubernetes on an etcd of its own. Nothing schedules or runs pods: it checks, admits and keeps. */
export interface KubernetesApi {
  /** @returns status and answer of one call */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; answer: { message?: string } }>;
  /** helm on this server. @throws Error with what helm says */
  helm(...parameters: string[]): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** @param binaries kube-apiserver and etcd, built from infra/tools/kubernetes */
export async function startKubernetesApi(
  folder: string,
  binaries: { readonly apiServer: string; readonly etcd: string },
): Promise<KubernetesApi> {
  await using starting = new AsyncDisposableStack();
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  mkdirSync(folder, { recursive: true });
  starting.use(
    new OwnProcess(binaries.etcd, [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      "--unsafe-no-fsync",
    ]),
  );
  const key = join(folder, "service-account.key");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(key, privateKey.export({ type: "pkcs8", format: "pem" }));
  writeFileSync(join(folder, "tokens.csv"), `${token},admin,1,system:masters\n`);
  starting.use(
    new OwnProcess(binaries.apiServer, [
      `--etcd-servers=${etcdUrl}`,
      `--cert-dir=${join(folder, "certificates")}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${port}`,
      "--service-cluster-ip-range=10.0.0.0/24",
      "--service-account-issuer=https://test.example",
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      `--token-auth-file=${join(folder, "tokens.csv")}`,
      "--authorization-mode=RBAC",
      // It waits for service accounts that a controller would make.
      "--disable-admission-plugins=ServiceAccount",
    ]),
  );
  const call: KubernetesApi["call"] = (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const options = { method, headers, rejectUnauthorized: false };
      const sent = request(`https://127.0.0.1:${port}${path}`, options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => {
          const isJson = response.headers["content-type"]?.includes("json") ?? false;
          resolve({ status: response.statusCode ?? 0, answer: isJson ? JSON.parse(text) : { message: text } });
        });
      });
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  await eventually("the API server", 90, async () => {
    const { status } = await call("GET", "/readyz").catch(() => ({ status: 0 }));
    return status === 200 || undefined;
  });

  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(
    kubeconfig,
    stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "test", cluster: { server: `https://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
      users: [{ name: "test", user: { token } }],
      contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
      "current-context": "test",
    }),
  );
  const running = starting.move();
  return {
    call,
    async helm(...parameters) {
      const env = {
        PATH: process.env.PATH,
        HOME: folder, // It keeps what the server told it there.
        KUBECONFIG: kubeconfig,
        HELM_CACHE_HOME: folder,
        HELM_CONFIG_HOME: folder,
        HELM_DATA_HOME: folder,
      };
      const { stdout } = await execute(process.env.HELM_BIN ?? "helm", parameters, { env }).catch(
        (error: { stderr?: string }) => {
          throw new Error(error.stderr || String(error));
        },
      );
      return stdout;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
