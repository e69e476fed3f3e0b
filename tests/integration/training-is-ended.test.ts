import { execFileSync } from "node:child_process";
import { constants, readdirSync, readFileSync } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { penguinsCsv } from "../support/real-data.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";

let service: RunningService | undefined;
const pipes: FileHandle[] = [];

afterEach(async () => {
  for (const pipe of pipes.splice(0)) await pipe.close();
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

const isThere = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
};

const header = "a,b,label\n";
const rows = Array.from({ length: 4_000 }, (_, row) => `${row % 97},${(row * 7) % 31},${row % 2 ? "yes" : "no"}\n`);

/**
 * A run whose loading never ends: its file is a pipe that gives no more than `content`. So the moment is hit for sure, on
 * a slow machine and on a quick one.
 */
async function loadingRun(content: string, env: Record<string, string> = {}) {
  service = await startService({ env });
  const dataset = await service.upload(header + rows.join(""), { target: "label" });
  const file = join(service.dataDir, "files", "dataset", dataset.json.id);
  await rm(file);
  execFileSync("mkfifo", [file]);
  const run = await service.call("POST", "/training-runs", { datasetId: dataset.json.id, mode: "light" });
  expect(run.status).toBe(202);
  const { pid } = service;
  const child = await eventually(async () => trainingsOf(pid)[0]);
  if (content !== "") {
    // Opening waits for a reader otherwise, and this process would wait with it.
    const pipe = await eventually(() => open(file, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => undefined));
    pipes.push(pipe);
    await pipe.write(content);
  }
  return { service, child, id: run.json.id as string };
}

const phases = [
  ["nothing of the file has come", ""],
  ["the header has come", header],
  ["rows have come", header + rows.join("")],
] as const;

test.each(phases)(
  "%s: a cancelled run's process is gone, its place is free, and the service lives",
  async (_, content) => {
    const { service, child, id } = await loadingRun(content);
    expect((await service.call("POST", `/training-runs/${id}/cancel`)).status).toBe(202);
    await eventually(async () => !isThere(child));
    await eventually(
      async () => (await service.metric("mlops_backend_training_worker_slots", { state: "busy" })) === 0,
    );
    const next = await service.upload(penguinsCsv());
    expect((await service.train(next.json.id)).json).toMatchObject({ status: "succeeded", attempt: 1 });
  },
);

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
  const { service, child, id } = await loadingRun(header, { TRAINING_TIMEOUT_SECONDS: "2" });
  const { json } = await service.waitForRun(id);
  expect(json).toMatchObject({ status: "failed", attempt: 1, error: { code: "TRAINING_TIMEOUT" } });
  await eventually(async () => !isThere(child));
  expect((await service.call("GET", "/api/health/ready")).status).toBe(200);
});

test("a stop while a run loads is in order: exit code 0, and no process is left", async () => {
  const { service, child } = await loadingRun(header + rows.join(""));
  expect(await service.kill("SIGTERM")).toBe(0);
  expect(isThere(child)).toBe(false);
});

test.each(phases)("%s: a service that is killed leaves no process that trains", async (_, content) => {
  const { service, child } = await loadingRun(content);
  await service.kill("SIGKILL");
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
  const { service, child, id } = await loadingRun(header);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(child, signal);
  await service.waitForRun(id, ({ status }) => status === "running");
  expect(isThere(child)).toBe(true);
  expect((await service.call("POST", `/training-runs/${id}/cancel`)).status).toBe(202);
  await eventually(async () => !isThere(child));
  expect((await service.call("GET", `/training-runs/${id}`)).json).toMatchObject({ status: "cancelled", attempt: 1 });
});
