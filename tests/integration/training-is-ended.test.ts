import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { nicenessOf } from "../support/process-stat.ts";
import { penguinsCsv } from "../support/real-data.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";

let service: RunningService | undefined;

afterEach(async () => {
  await service?.stop();
  service = undefined;
});

/** Processes that train for a service. */
function trainingsOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
        return command.some((part) => part.endsWith("/training-child.ts")) && command.includes(String(pid));
      } catch {
        // It has ended meanwhile.
        return false;
      }
    })
    .map(Number);
}

/** proc_pid_stat(5), field 3; Z (zombie) where it has ended or is not there at all. */
const stateOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) (.).*$/s, "$1");
  } catch {
    return "Z";
  }
};
const isThere = (pid: number): boolean => stateOf(pid) !== "Z";

const rows = Array.from({ length: 300_000 }, (_, row) => `${row % 97},${(row * 7) % 31},${row % 2 ? "yes" : "no"}\n`);

/** Where a table may be read: as it was sent, and its typed copy. */
const foldersOf = ({ dataDir }: RunningService): string[] =>
  ["dataset", "typed"].map((kind) => join(dataDir, "files", kind));

/** Whether a process has a file of one of the folders open. */
const hasOpen = (pid: number, folders: readonly string[]): boolean => {
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    return links.some((link) => folders.includes(dirname(link)));
  } catch {
    // A descriptor was closed meanwhile: look again.
    return false;
  }
};

const phases = ["the file can't be opened", "the file is being read"] as const;

/**
 * A run whose loading never ends, so that the moment is hit for sure on a slow machine and on a quick one: its files are
 * pipes into which nobody writes, or its process is stopped while it has one open.
 */
async function loadingRun(phase: (typeof phases)[number], env: Record<string, string> = {}) {
  const started = await startService({ env });
  service = started;
  const { pid } = started;
  const dataset = await service.upload(`a,b,label\n${rows.join("")}`, { target: "label" });
  const folders = foldersOf(started);
  if (phase === "the file can't be opened") {
    // Made before, or the service itself would wait at the pipe.
    await eventually(async () => (await started.call("GET", `/datasets/${dataset.json.id}`)).json.profile !== null);
    const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
    expect(files).toHaveLength(2);
    for (const file of files) await rm(file);
    execFileSync("mkfifo", files);
  }
  const submit = async () => {
    const run = await started.call("POST", "/training-runs", { datasetId: dataset.json.id, mode: "light" });
    expect(run.status).toBe(202);
    const id = run.json.id as string;
    const hasEnded = async () => (await started.call("GET", `/training-runs/${id}`)).json.status === "succeeded";
    // No process has this id.
    const child = await eventually(async () => trainingsOf(pid)[0] ?? ((await hasEnded()) ? 2 ** 30 : undefined));
    return { service: started, id, child };
  };
  for (;;) {
    const run = await submit();
    if (phase === "the file can't be opened" || (await isStoppedWith(run.child, folders))) return run;
    // Where this process had no core meanwhile, the file was read before it looked: once more, then.
    await started.waitForRun(run.id);
  }
}

/** Stops a process while it has a file of the folders open; false where it ended before. */
async function isStoppedWith(pid: number, folders: readonly string[]): Promise<boolean> {
  for (; isThere(pid); await new Promise((resolve) => setImmediate(resolve))) {
    if (!hasOpen(pid, folders)) continue;
    process.kill(pid, "SIGSTOP");
    await eventually(async () => stateOf(pid) === "T");
    if (hasOpen(pid, folders)) return true;
    process.kill(pid, "SIGCONT");
  }
  return false;
}

test.runIf(process.platform === "linux")("a process that trains lets the service's event loop go first", async () => {
  const { service, child } = await loadingRun("the file can't be opened");
  // Its last is 19, and there is no more to leave.
  const expected = Math.min(nicenessOf(service.pid).get(service.pid)! + 5, 19);
  await eventually(async () => nicenessOf(child).get(child) === expected);
});

test.each(phases)("%s: a cancelled run's process is gone, its place is free, and the service lives", async (phase) => {
  const { service, child, id } = await loadingRun(phase);
  expect((await service.call("POST", `/training-runs/${id}/cancel`)).status).toBe(202);
  await eventually(async () => !isThere(child));
  await eventually(async () => (await service.metric("mlops_backend_training_worker_slots", { state: "busy" })) === 0);
  const next = await service.upload(penguinsCsv());
  expect((await service.train(next.json.id)).json).toMatchObject({ status: "succeeded", attempt: 1 });
});

test("a run that is cancelled before its process is up leaves none", async () => {
  service = await startService();
  const { pid } = service;
  const { json } = await service.upload(penguinsCsv());
  for (let round = 0; round < 5; round += 1) {
    const run = await service.call("POST", "/training-runs", { datasetId: json.id });
    await service.call("POST", `/training-runs/${run.json.id}/cancel`);
  }
  await eventually(async () => trainingsOf(pid).length === 0);
  expect((await service.train(json.id)).json).toMatchObject({ status: "succeeded" });
});

test("a run that takes too long while it loads fails, and its process is gone", async () => {
  const { service, child, id } = await loadingRun("the file can't be opened", { TRAINING_TIMEOUT_SECONDS: "2" });
  const { json } = await service.waitForRun(id);
  expect(json).toMatchObject({ status: "failed", attempt: 1, error: { code: "TRAINING_TIMEOUT" } });
  await eventually(async () => !isThere(child));
  expect((await service.call("GET", "/api/health/ready")).status).toBe(200);
});

test("a stop while a run loads is in order: exit code 0, and no process is left", async () => {
  const { service, child } = await loadingRun("the file is being read");
  expect(await service.kill("SIGTERM")).toBe(0);
  expect(isThere(child)).toBe(false);
});

test.each(phases)("%s: a service that is killed leaves no process that trains", async (phase) => {
  const { service, child } = await loadingRun(phase);
  await service.kill("SIGKILL");
  process.kill(child, "SIGCONT");
  await eventually(async () => !isThere(child));
});

test("a service that is killed leaves no process in the middle of a tight loop", async () => {
  service = await startService();
  const noise = Array.from({ length: 20_000 }, (_, row) => `${Math.sin(row * 12.9898) * 43_758},${row % 2}\n`);
  const { json } = await service.upload(`a,b\n${noise.join("")}`, { target: "a" });
  const run = await service.call("POST", "/training-runs", {
    datasetId: json.id,
    mode: "heavy",
    task: "regression",
    parameters: { rounds: 5000, earlyStoppingRounds: 5000, maxDepth: 10 },
  });
  await service.waitForRun(run.json.id, (run) => (run as unknown as { progress: number }).progress > 0);
  const [child] = trainingsOf(service.pid);
  expect(child).toBeDefined();
  await service.kill("SIGKILL");
  await eventually(async () => !isThere(child!));
});

test("signals to all processes of the service do not end a training: the service decides", async () => {
  const { service, child, id } = await loadingRun("the file can't be opened");
  // Node catches the other two by itself, which tells nothing.
  const caught = () => BigInt(`0x${/^SigCgt:\s+(\w+)$/m.exec(readFileSync(`/proc/${child}/status`, "utf8"))?.[1]}`);
  await eventually(async () => (caught() & 1n) === 1n);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(child, signal);
  await service.waitForRun(id, ({ status }) => status === "running");
  expect(isThere(child)).toBe(true);
  expect((await service.call("POST", `/training-runs/${id}/cancel`)).status).toBe(202);
  await eventually(async () => !isThere(child));
  expect((await service.call("GET", `/training-runs/${id}`)).json).toMatchObject({ status: "cancelled", attempt: 1 });
});
