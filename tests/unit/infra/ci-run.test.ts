import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ci-run-"));
  await cp(join(root, ".ci/run"), join(folder, ".ci/run"));
  await mkdir(join(folder, "tmp"));
  await mkdir(join(folder, "bin"));
  for (const module of ["", "collector/", "helm/", "versitygw/", "toxiproxy/", "kubernetes/", "terraform-stand-ins/"]) {
    await mkdir(join(folder, "infra/tools", module), { recursive: true });
    await writeFile(join(folder, "infra/tools", module, "go.sum"), "");
  }
  await writeFile(join(folder, "infra/tools/terraform-stand-ins/main.go"), "");
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs the checks with this for npm; the signal comes as soon as npm is at work. */
async function run(
  npm: string,
  { env = {}, signal }: { env?: Record<string, string>; signal?: NodeJS.Signals } = {},
): Promise<{ code: number | null; lines: string[] }> {
  await writeFile(join(folder, "bin/npm"), `#!/bin/sh\n${npm}\n`);
  await chmod(join(folder, "bin/npm"), 0o755);
  const child = spawn("bash", [".ci/run"], {
    cwd: folder,
    env: { PATH: `${join(folder, "bin")}:${process.env.PATH}`, HOME: folder, TMPDIR: join(folder, "tmp"), ...env },
  });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
    if (output.includes("npm is at work") && signal !== undefined) child.kill(signal);
  });
  const [code] = await once(child, "close");
  return { code, lines: output.trimEnd().split("\n") };
}

test("packages that can't be installed are one failure in the last line, and nothing is left behind", async () => {
  const { code, lines } = await run("echo no such package >&2; exit 7");
  expect(code).toBe(7);
  expect(lines).toContain("FAIL ended early, at: npm ci (exit status 7)");
  expect(lines.at(-1)).toBe("0 passed, 1 failed");
  expect(await readdir(join(folder, "tmp"))).toEqual([]);
});

test("so is every other early end: a file that is not there, no room for work, a signal", async () => {
  const ended: { code: number | null; lines: string[] }[] = [];
  ended.push(await run("exit 0", { env: { TMPDIR: join(folder, "nowhere") } }));
  ended.push(await run("echo npm is at work; sleep 0.3", { signal: "SIGTERM" }));
  await rm(join(folder, "infra/tools/go.sum"));
  ended.push(await run("exit 0"));
  for (const { lines } of ended) {
    expect(lines).toContainEqual(expect.stringMatching(/^FAIL ended early, at: /));
    expect(lines.at(-1)).toBe("0 passed, 1 failed");
  }
  expect(ended.map(({ code }) => code)).toEqual([1, 143, 1]);
  expect(await readdir(join(folder, "tmp"))).toEqual([]);
});
