import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ci-run-"));
  await cp(join(root, ".ci"), join(folder, ".ci"), { recursive: true });
  await mkdir(join(folder, "tmp"));
  await mkdir(join(folder, "bin"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Options {
  /** What stands for npm. */
  readonly npm?: string;
  readonly env?: Record<string, string>;
  /** Sent as soon as "at work" is seen. */
  readonly signal?: NodeJS.Signals;
}

/** Runs a script of the folder to its end. */
async function run(
  script: readonly string[],
  { npm = "exit 0", env = {}, signal }: Options = {},
): Promise<{ code: number | null; lines: string[] }> {
  await writeFile(join(folder, "bin/npm"), `#!/bin/sh\n${npm}\n`);
  await chmod(join(folder, "bin/npm"), 0o755);
  const child = spawn("bash", script, {
    cwd: folder,
    env: { PATH: `${join(folder, "bin")}:${process.env.PATH}`, HOME: folder, TMPDIR: join(folder, "tmp"), ...env },
  });
  let output = "";
  let isSent = false;
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
    if (!output.includes("at work") || signal === undefined || isSent) return;
    isSent = true;
    child.kill(signal);
  });
  const [code] = await once(child, "close");
  return { code, lines: output.trimEnd().split("\n") };
}

/** A part of this name. */
const part = (name: string, body: string): Promise<void> =>
  writeFile(join(folder, `.ci/parts/${name}.sh`), `. "$(dirname "\${BASH_SOURCE[0]}")/../part.sh"\n${body}\n`);

test("packages that can't be installed are one failure in the last line, and nothing is left behind", async () => {
  const { code, lines } = await run([".ci/run"], { npm: "echo no such package >&2; exit 7" });
  expect(code).toBe(7);
  expect(lines).toContain("FAIL ended early, at: npm ci (exit status 7)");
  expect(lines.at(-1)).toBe("0 passed, 1 failed");
  expect(await readdir(join(folder, "tmp"))).toEqual([]);
});

test("so is every other early end: no room for work, a signal", async () => {
  const ended: { code: number | null; lines: string[] }[] = [];
  ended.push(await run([".ci/run"], { env: { TMPDIR: join(folder, "nowhere") } }));
  ended.push(await run([".ci/run"], { npm: "echo npm is at work; sleep 0.3", signal: "SIGTERM" }));
  for (const { lines } of ended) {
    expect(lines).toContainEqual(expect.stringMatching(/^FAIL .*ended early, /));
    expect(lines.at(-1)).toBe("0 passed, 1 failed");
  }
  expect(ended.map(({ code }) => code)).toEqual([1, 143]);
  expect(await readdir(join(folder, "tmp"))).toEqual([]);
});

test("a part that fails hides no other: each has its line in the closing table, and all are in the sum", async () => {
  await part("mixed", "two() { echo why; return 3; }\ncheck one true\ncheck two two\ncheck three true\ncomplete");
  await part("broken", "check four true\nsay five\nno-such-program\ncomplete");
  await part("empty", "complete");
  await part("sound", "check six true\ncomplete");
  const { code, lines } = await run([".ci/run", "mixed", "broken", "missing", "empty", "sound"]);
  const rows = lines.slice(lines.findIndex((line) => /^part +time/.test(line)) + 1).map((line) => line.split(/ +/));
  expect(rows.slice(0, 5).map(([name, , ...counts]) => [name, ...counts])).toEqual([
    ["mixed", "2", "1", "FAILED"],
    ["broken", "1", "1", "FAILED"],
    ["missing", "0", "1", "FAILED"],
    ["empty", "0", "0", "skipped"],
    ["sound", "1", "0", "passed"],
  ]);
  expect(lines.slice(-5)).toEqual([
    "FAIL mixed: two",
    "    why",
    "FAIL broken: ended early, at: five (exit status 127)",
    "FAIL missing: ended without a result (exit status 127)",
    "4 passed, 3 failed",
  ]);
  expect(code).toBe(1);
  expect(await readdir(join(folder, "tmp"))).toEqual([]);
});

test("a check that is cut short, within a function, is told with what it said, and one that fails in silence by its name", async () => {
  await part("silent", "check quiet false\ncomplete");
  await part("broken", "leave() { echo before; exit 4; }\ncheck leaving leave\ncomplete");
  const { lines } = await run([".ci/run", "silent", "broken"]);
  expect(lines).toContain("before");
  expect(lines.slice(-3)).toEqual([
    "FAIL silent: quiet",
    "FAIL broken: ended early, at: leaving (exit status 4)",
    "0 passed, 2 failed",
  ]);
  const alone = await run([".ci/parts/broken.sh"]);
  expect([alone.code, alone.lines.at(-1)]).toEqual([4, "0 passed, 1 failed"]);
});

test("a part runs alone, and ends with the same line", async () => {
  await part("sound", "check one true\ncomplete");
  await part("broken", "check one true\ncheck two false\ncomplete");
  expect(await run([".ci/parts/sound.sh"])).toMatchObject({ code: 0, lines: expect.arrayContaining(["PASS one"]) });
  const { code, lines } = await run([".ci/parts/broken.sh"]);
  expect([code, lines.at(-1)]).toEqual([1, "1 passed, 1 failed"]);
  expect(await readdir(join(folder, "tmp"))).toEqual([]);
});

test("a signal ends what a part has started, at once", async () => {
  await part("long", `sleep 3600 &\necho $! >started\necho at work\nwait\ncomplete`);
  await part("next", "check one true\ncomplete");
  const { code, lines } = await run([".ci/run", "long", "next"], { signal: "SIGINT" });
  expect([code, lines.at(-1)]).toEqual([130, "0 passed, 1 failed"]);
  const started = Number(await readFile(join(folder, "started"), "utf8"));
  // Z: it has ended, and where nobody collects orphans it stays in the list.
  const isRunning = (): Promise<boolean> =>
    readFile(`/proc/${started}/stat`, "utf8").then(
      (stat) => !/\) Z /.test(stat),
      () => false,
    );
  await expect.poll(isRunning, { timeout: 60_000 }).toBe(false);
});

test("a report of tests is counted with the names of what failed and why, and one that is not there is a failure", async () => {
  const report = {
    numPassedTests: 3,
    numFailedTests: 1,
    success: false,
    testResults: [{ assertionResults: [{ status: "failed", fullName: "a name", failureMessages: ["Error: why"] }] }],
  };
  await part("tests", "run_tests reported npm\nrun_tests silent true\ncomplete");
  const npm = `for last in "$@"; do :; done; echo '${JSON.stringify(report)}' >"\${last#*=}"`;
  const { lines } = await run([".ci/run", "tests"], { npm });
  expect(lines.slice(-4)).toEqual([
    "FAIL tests: a name",
    "    Error: why",
    "FAIL tests: silent (no report)",
    "3 passed, 2 failed",
  ]);
});

test("tests that all passed are a failure where vitest says so by its exit status alone: an error that nobody caught", async () => {
  const report = { numPassedTests: 3, numFailedTests: 0, success: true, testResults: [] };
  await part("tests", "run_tests uncaught npm\ncomplete");
  const npm = `for last in "$@"; do :; done; echo '${JSON.stringify(report)}' >"\${last#*=}"; echo before; echo Unhandled Errors; echo Error: why; exit 1`;
  const { lines } = await run([".ci/run", "tests"], { npm });
  expect(lines.slice(-4)).toEqual([
    "FAIL tests: uncaught, outside of all tests",
    "    Unhandled Errors",
    "    Error: why",
    "3 passed, 1 failed",
  ]);
});

test("a file whose hook failed is named, though each of its tests passed", async () => {
  const testResults = [
    { name: "a.test.ts", status: "failed", message: "Error: why", assertionResults: [{ status: "passed" }] },
  ];
  const report = { numPassedTests: 3, numFailedTests: 0, success: false, testResults };
  await part("tests", "run_tests hooked npm\ncomplete");
  const npm = `for last in "$@"; do :; done; echo '${JSON.stringify(report)}' >"\${last#*=}"; exit 1`;
  const { lines } = await run([".ci/run", "tests"], { npm });
  expect(lines.slice(-3)).toEqual(["FAIL tests: a.test.ts", "    Error: why", "3 passed, 1 failed"]);
});

test("every part stands in the table of contents, and nothing else", async () => {
  const list = /^parts=\(\n([^)]*)^\)/m.exec(await readFile(join(root, ".ci/run"), "utf8"))?.[1] ?? "";
  const named = [...list.matchAll(/^ +(\w+) /gm)].map(([, name]) => `${name}.sh`);
  expect(named.toSorted()).toEqual((await readdir(join(root, ".ci/parts"))).toSorted());
});
