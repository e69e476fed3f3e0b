import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";

/**
 * Set-up of a whole run of tests: whatever they start and leave lying about ends with the run, also when that is killed.
 * The run gets a folder, which is its TMPDIR and stands at the end of its PATH: every process that a test starts is given
 * PATH, whatever else is kept from it, so that all of them can be found by it. `run-guard.ts` looks for them.
 */
export function setup(): void {
  const folder = mkdtempSync(join(tmpdir(), "mlops-tests-"));
  chmodSync(folder, 0o755); // Some tests start processes of another user.
  // Of a session of its own, and not on the terminal: a signal to the run's group does not reach it.
  const guard = spawn(process.execPath, [join(import.meta.dirname, "run-guard.ts"), folder], {
    detached: true,
    stdio: ["pipe", "ignore", "inherit"],
  });
  // Nobody writes to it: it ends when this process does, however that happens.
  guard.unref();
  (guard.stdin as unknown as { unref(): void }).unref();
  process.env.TMPDIR = folder;
  process.env.PATH = `${process.env.PATH}${delimiter}${folder}`;
  process.env.TEST_RUN = basename(folder).replaceAll("-", "_").toLowerCase();
}
