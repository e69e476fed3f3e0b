import { once } from "node:events";
import { readdirSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { eventually, OwnProcess } from "./processes.ts";

/** A service that nobody else uses, whose datasets expire within seconds. */
export interface LoadedService {
  readonly url: string;
  readonly dataDir: string;
}

/** Waits until Prometheus has scraped what an expression asks for. */
export type Seen = (expression: string) => Promise<void>;

interface Dataset {
  readonly id: string;
}

const csvOf = (rows: number): string => {
  const lines = Array.from(
    { length: rows },
    (_, row) => `${row % 7},${row % 2 ? "red" : "blue"},${row % 3 ? "x" : "y"}`,
  );
  return `size,colour,label\n${lines.join("\n")}\n`;
};

async function upload(url: string, name: string, content: string): Promise<{ status: number; dataset: Dataset }> {
  const form = new FormData();
  form.set("name", name);
  form.set("file", new Blob([content], { type: "text/csv" }), `${name}.csv`);
  const answer = await fetch(`${url}/api/ml/v1/datasets/upload`, { method: "POST", body: form });
  return { status: answer.status, dataset: (await answer.json()) as Dataset };
}

function expectStatus(what: string, status: number, expected: number): void {
  if (status !== expected) throw new Error(`${what}: ${status} in place of ${expected}`);
}

interface Run {
  readonly id: string;
  readonly status: string;
}

async function submit(url: string, { id }: Dataset, mode: "light" | "heavy", parameters = {}): Promise<Run> {
  const answer = await fetch(`${url}/api/ml/v1/training-runs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ datasetId: id, mode, parameters }),
  });
  expectStatus("a run", answer.status, 202);
  return (await answer.json()) as Run;
}

async function untilItIs(status: string, url: string, { id }: Run): Promise<void> {
  await eventually(`a run is ${status}`, 120, async () => {
    const run = (await (await fetch(`${url}/api/ml/v1/training-runs/${id}`)).json()) as Run;
    return run.status === status ? true : undefined;
  });
}

/** One run trains for long and others have to wait, until that has been seen: on a busy machine that takes a while. */
async function letSomeWait(url: string, dataset: Dataset, seen: Seen): Promise<void> {
  const runs: Run[] = [];
  for (let count = 0; count < 6; count += 1)
    runs.push(await submit(url, dataset, "heavy", { rounds: 5000, earlyStoppingRounds: 5000 }));
  await seen('mlops_backend_training_queue_jobs{state="queued"} > 0');
  // The last first, so that none begins meanwhile.
  for (const run of runs.toReversed()) {
    const answer = await fetch(`${url}/api/ml/v1/training-runs/${run.id}/cancel`, { method: "POST" });
    // It has ended already.
    if (answer.status === 409) continue;
    expectStatus("a cancellation", answer.status, 202);
    await untilItIs("cancelled", url, run);
  }
}

/** Breaks an upload off when the service has read its beginning. */
async function abortUpload({ url, dataDir }: LoadedService): Promise<void> {
  const request = httpRequest(`${url}/api/ml/v1/datasets/upload`, {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=b", "content-length": 50_000 },
  });
  const broken = once(request, "error");
  request.write('--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\na,b\n1,2\n');
  await eventually("the beginning of the upload", 30, async () =>
    readdirSync(join(dataDir, "files/tmp")).length > 0 ? true : undefined,
  );
  request.destroy(new Error("broken off"));
  await broken;
}

/**
 * Does once what a client or an operator may do: the demo (uploads good and bad, trainings of both modes, predictions,
 * expiry), and what it leaves out: unknown paths and methods, a duplicate, an upload that is broken off, a run that the
 * data fails, some that wait for another, and a file that somebody removes, so that a download and a run fail by our
 * fault.
 * @throws when the service answers otherwise than expected
 */
export async function scriptedLoad(service: LoadedService, seen: Seen): Promise<void> {
  const { url, dataDir } = service;
  // First, since it compares its own counts with those of /metrics.
  await using demo = new OwnProcess(process.execPath, ["tests/support/demo.ts", "--url", url]);
  if ((await demo.ended()) !== 0) throw new Error(`The demo failed:\n${demo.output}`);

  expectStatus("an unknown path", (await fetch(`${url}/api/nothing-is-here`)).status, 404);
  expectStatus("a wrong method", (await fetch(`${url}/api/ml/v1/datasets`, { method: "PUT" })).status, 405);
  expectStatus("an upload", (await upload(url, "twice", csvOf(50))).status, 201);
  expectStatus("the same upload", (await upload(url, "twice", csvOf(50))).status, 200);
  await abortUpload(service);
  const { dataset: small } = await upload(url, "too-small", csvOf(3));
  await untilItIs("failed", url, await submit(url, small, "light"));
  await letSomeWait(url, (await upload(url, "large", csvOf(20_000))).dataset, seen);

  const { dataset } = await upload(url, "lost", csvOf(200));
  // One that is made later would be read in its place.
  await eventually("the typed copy", 60, async () => {
    const kept = (await (await fetch(`${url}/api/ml/v1/datasets/${dataset.id}`)).json()) as {
      typedBytes: number | null;
    };
    return kept.typedBytes ?? undefined;
  });
  rmSync(join(dataDir, "files/dataset", dataset.id));
  for (const name of readdirSync(join(dataDir, "files/typed"))) rmSync(join(dataDir, "files/typed", name));
  const download = await fetch(`${url}/api/ml/v1/datasets/${dataset.id}/content`);
  expectStatus("a download of a lost file", download.status, 500);
  await download.arrayBuffer();
  await untilItIs("failed", url, await submit(url, dataset, "heavy"));

  await seen("mlops_backend_dataset_ttl_files_missing_total > 0");
}
