import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { consoleFolder } from "../../src/http/console-pages.ts";
import { root, startService } from "./processes.ts";

const assets = join(consoleFolder, "assets");
const resources = new AsyncDisposableStack();
let folder = "";
let serviceUrl = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "mlops-backend-console-files-"));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  execFileSync(process.execPath, ["src/console/build.ts"], { cwd: root });
  const { service, url } = await startService(join(folder, "data"));
  resources.use(service);
  serviceUrl = url;
});
afterAll(() => resources.disposeAsync());

test("the first load is at most 220 kB with Brotli, and has no charts", () => {
  const document = readFileSync(join(consoleFolder, "index.html"), "utf8");
  const names = [...document.matchAll(/(?:src|href)="\.\/assets\/([^"]+\.(?:js|css))"/g)].map(([, name]) => name!);
  const kilobytes = names.reduce((sum, name) => sum + statSync(join(assets, `${name}.br`)).size, 0) / 1000;
  expect(names.length).toBeGreaterThan(1);
  expect(kilobytes).toBeLessThan(220);
  const scripts = names.filter((name) => name.endsWith(".js")).map((name) => readFileSync(join(assets, name), "utf8"));
  // They come with the first chart that is shown.
  const all = readdirSync(assets).filter((name) => /\.(js|css)$/.test(name));
  expect(all.length).toBeGreaterThan(names.length);
  expect(scripts.join("")).not.toContain("u-legend");
  // These tests run in an environment of their own, and React for development would be in it by mistake.
  expect(scripts.join("")).not.toContain("React DevTools for a better development experience");
});

test("what it is served with: one policy, files for good, no other address, and none where it is switched off", async () => {
  const html = { headers: { accept: "text/html" } };
  const document = await fetch(`${serviceUrl}/runs/any`, html);
  const policy = document.headers.get("content-security-policy") ?? "";
  expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
  expect(document.headers.get("cache-control")).toBe("no-cache");
  const text = await document.text();
  expect(text).toContain('<base href="../">');
  const [, script = ""] = /<script[^>]* src="\.\/([^"]+)"/.exec(text) ?? [];
  for (const [encoding, expected] of [
    ["br, gzip", "br"],
    ["gzip", "gzip"],
    ["identity", null],
  ] as const) {
    const file = await fetch(`${serviceUrl}/${script}`, { headers: { "accept-encoding": encoding } });
    expect([file.status, file.headers.get("content-encoding")]).toEqual([200, expected]);
    expect(file.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(file.headers.get("content-type")).toMatch(/^text\/javascript/);
    await file.body?.cancel();
  }
  for (const path of [
    "/assets/none.js",
    "/assets/..%2Findex.html",
    "/assets/built-from.txt",
    "/model",
    "/api/ml/v1/nothing",
  ]) {
    const nothing = await fetch(`${serviceUrl}${path}`, html);
    expect([path, nothing.status, nothing.headers.get("content-type")]).toEqual([
      path,
      404,
      "application/problem+json; charset=utf-8",
    ]);
  }
  const wrong = await fetch(`${serviceUrl}/runs/any`, { method: "DELETE" });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  const metrics = await (await fetch(`${serviceUrl}/metrics`)).text();
  const routes = new Set([...metrics.matchAll(/http_route="([^"]*)"/g)].map(([, route]) => route));
  expect([...routes].filter((route) => /^\/(?!api|metrics)/.test(route ?? ""))).toEqual(["/", "/assets/:file"]);

  const off = await startService(join(folder, "off"), { CONSOLE__ENABLED: "false" });
  resources.use(off.service);
  const answers = await Promise.all(
    ["/", "/runs", `/${script}`].map((path) => fetch(`${off.url}${path}`, { ...html, redirect: "manual" })),
  );
  expect(answers.map(({ status }) => status)).toEqual([302, 404, 404]);
});

test("a file that another build has taken away is not there, and nothing of it is kept", async () => {
  // One that no browser of the other tests asks for: over plain HTTP they take gzip.
  const packed = readdirSync(assets).find((each) => each.endsWith(".csv.br"))!;
  const [there, away] = [join(assets, packed), join(folder, packed)];
  await rename(there, away);
  try {
    const name = packed.replace(".br", "");
    const answer = await fetch(`${serviceUrl}/assets/${name}`, { headers: { "accept-encoding": "br" } });
    const { code } = (await answer.json()) as { code: string };
    expect([answer.status, answer.headers.get("cache-control"), code]).toEqual([404, null, "NOT_FOUND"]);
  } finally {
    await rename(away, there);
  }
});
