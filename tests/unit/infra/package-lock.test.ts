import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = new URL("../../..", import.meta.url).pathname;
const files = [".npmrc", "package.json", "package-lock.json"];

interface Lock {
  readonly packages: Record<string, { hasInstallScript?: boolean; deprecated?: string; version?: string }>;
}
const packages = Object.entries((JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as Lock).packages);
const pathsOf = (isMeant: (entry: Lock["packages"][string]) => boolean): string[] =>
  packages.filter(([path, entry]) => path !== "" && isMeant(entry)).map(([path]) => path);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mlops-backend-lock-"));
  for (const file of files) cpSync(join(root, file), join(folder, file));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** npm on a copy of the files that it reads, as on a machine whose own Node.js is 20, with nobody's settings but ours. */
function npm(...parameters: string[]): { code: number | null; stdout: string; stderr: string } {
  const older = join(folder, "older-node.cjs");
  writeFileSync(older, `Object.defineProperty(process, "version", { value: "v20.19.0" });\n`);
  const { PATH, HOME } = process.env;
  const { status, stdout, stderr } = spawnSync("npm", [...parameters, "--offline", "--no-audit", "--no-fund"], {
    cwd: folder,
    encoding: "utf8",
    env: { PATH, HOME, NODE_OPTIONS: `--require=${older}`, npm_config_userconfig: "/dev/null" },
  });
  return { code: status, stdout, stderr };
}

test("npm ci says nothing of engines where the machine's own Node.js is older", () => {
  const { code, stdout, stderr } = npm("ci", "--dry-run");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/added \d+ packages/);
});

test("npm ci says what is wrong with the lock file, and fails", () => {
  writeFileSync(join(folder, "package-lock.json"), '{ "lockfileVersion": 3, "packages": {');
  expect(npm("ci", "--dry-run")).toMatchObject({ code: 1, stderr: expect.stringContaining("package-lock.json") });
});

test("npm ci says which package the lock file lacks, and fails", () => {
  const own = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  own.dependencies["not-in-the-lock-file"] = "^1.0.0";
  writeFileSync(join(folder, "package.json"), JSON.stringify(own));
  expect(npm("ci", "--dry-run")).toMatchObject({ code: 1, stderr: expect.stringContaining("not-in-the-lock-file") });
});

test("of what .npmrc keeps quiet there are engines only: no package is deprecated, none conflicts with another", () => {
  expect(pathsOf(({ deprecated }) => deprecated !== undefined)).toEqual([]);
  expect(npm("ls", "--all", "--package-lock-only", "--parseable")).toMatchObject({ code: 0, stderr: "" });
});

test("package.json says of each install script whether it runs", () => {
  const { allowScripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const names = pathsOf(({ hasInstallScript }) => hasInstallScript === true).map((path) =>
    path.replace(/^.*node_modules\//, ""),
  );
  expect(Object.keys(allowScripts).toSorted()).toEqual([...new Set(names)].toSorted());
});
