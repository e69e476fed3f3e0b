import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";
import { eventually, OwnProcess } from "./processes.ts";

/** An nginx of its own that puts `location` blocks before a service; disposing of it ends it and removes its folder. */
export async function startNginx(locations: string): Promise<{ url: string } & AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "mlops-nginx-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder};`);
  await writeFile(
    join(folder, "nginx.conf"),
    `daemon off;
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  ${temporary.join("\n  ")}
  server {
    listen 127.0.0.1:${port};
    ${locations}
  }
}
`,
  );
  const nginx = execFileSync("sh", ["-c", "command -v nginx || echo /usr/sbin/nginx"], { encoding: "utf8" }).trim();
  // One process: as root its workers would be another user, who may not enter the folder.
  starting.use(new OwnProcess(nginx, ["-p", folder, "-c", join(folder, "nginx.conf"), "-g", "master_process off;"]));
  const url = `http://127.0.0.1:${port}`;
  await eventually("nginx", 60, async () => (await fetch(url)).status || undefined);
  const running = starting.move();
  return { url, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
