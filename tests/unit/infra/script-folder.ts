import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

/** The folder of the test that runs, as one clones it: run.sh, and a Docker that says how it was called. */
export let folder: string;

/** Gives each test a folder of its own. */
export function useScriptFolder(): void {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "run-script-"));
    await copyFile(new URL("../../../run.sh", import.meta.url), join(folder, "run.sh"));
    await cp(new URL("../../../infra/run", import.meta.url), join(folder, "infra/run"), { recursive: true });
    for (const name of ["infra/monitoring", "src", "otel"]) await mkdir(join(folder, name));
    // Neither Docker nor the demo itself: both say how they were called.
    await mkdir(join(folder, "bin"));
    await program("bin/docker", 'printf "docker %s\\n" "$*"');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
}

/** Writes a program of the folder. */
export async function program(path: string, body: string): Promise<void> {
  await writeFile(join(folder, path), `#!/usr/bin/env bash\n${body}\n`);
  await chmod(join(folder, path), 0o755);
}

type Arguments = readonly (string | Record<string, string>)[];

/** `run.sh`, to its end: options, and what the environment says beside the necessary. */
export async function run(...given: Arguments): Promise<{ code: number; output: string; lines: string[] }> {
  const options = given.filter((each) => typeof each === "string");
  const child = spawn("bash", ["run.sh", ...options], {
    cwd: folder,
    env: {
      ...Object.assign({}, ...given.filter((each) => typeof each !== "string")),
      PATH: `${join(folder, "bin")}:${process.env.PATH}`,
      HOME: folder,
      SMOKE_SECONDS: "0",
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += String(chunk);
    });
  const [code] = await once(child, "close");
  return { code, output, lines: output.trim().split("\n") };
}

export const written = (path: string): Promise<string> => readFile(join(folder, path), "utf8");
/** Writes .env. */
export const settings = (text: string): Promise<void> => writeFile(join(folder, ".env"), text);
