/**
 * `node tests/contract/run.ts SCHEMATHESIS [OPTION...]`: starts the service with datasets and models in it, and lets
 * schemathesis hold it against its own /api/openapi.json. Options go to schemathesis: `--seed 7 --max-time 600` looks elsewhere,
 * and for longer. Ends with schemathesis' exit code.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, startService } from "../e2e/processes.ts";

const [schemathesis, ...options] = process.argv.slice(2);
if (schemathesis === undefined) throw new Error("Name schemathesis' program: node tests/contract/run.ts .venv/bin/st");

async function post<Answer>(url: string, body: FormData | object): Promise<Answer> {
  const isForm = body instanceof FormData;
  const headers = isForm ? {} : { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: isForm ? body : JSON.stringify(body) });
  if (!response.ok) throw new Error(`POST ${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}

/** A small table that can be learnt, another one for each `place`. */
function table(place: number): string {
  const rows = Array.from({ length: 60 }, (_, row) => {
    const width = (row * 7 + place) % 20;
    return `${width},${(row * 3) % 11},${width > 9 ? "wide" : "narrow"}`;
  });
  return ["width,height,label", ...rows].join("\n");
}

/** Datasets and models of all kinds, for schemathesis to ask for: it can guess no id. */
async function seed(api: string) {
  const upload = (place: number, target: string): Promise<{ id: string }> => {
    const form = new FormData();
    form.append("file", new Blob([table(place)]), `table-${place}.csv`);
    form.append("target", target);
    return post(`${api}/datasets/upload`, form);
  };
  const datasets = await Promise.all([upload(1, "label"), upload(2, "width"), upload(3, "label")]);
  const runs: string[] = [];
  const artifacts: string[] = [];
  for (const { id: datasetId } of datasets) {
    for (const [mode, parameters] of [
      ["light", {}],
      ["heavy", { rounds: 5 }],
      ["auto", { maxTrials: 2 }],
    ] as const) {
      const { id } = await post<{ id: string }>(`${api}/training-runs`, { datasetId, mode, parameters });
      runs.push(id);
      const artifactId = await eventually("a model", 120, async () => {
        const run = (await (await fetch(`${api}/training-runs/${id}`)).json()) as { artifactId: string | null };
        return run.artifactId ?? undefined;
      });
      artifacts.push(artifactId);
    }
  }
  return { datasets: datasets.map(({ id }) => id), runs, artifacts };
}

const folder = await mkdtemp(join(tmpdir(), "mlops-contract-"));
try {
  // The queue's bounds are not the matter here; what is still being trained in the end is given up at once.
  const { service, url } = await startService(join(folder, "data"), {
    MAX_QUEUED_RUNS_PER_OWNER: "100000",
    MAX_MODEL_ARTIFACTS: "100000",
    SHUTDOWN_GRACE_SECONDS: "0",
  });
  await using _running = service;
  const seeds = await seed(`${url}/api/ml/v1`);
  const child = spawn(
    schemathesis,
    ["--config-file", join(import.meta.dirname, "schemathesis.toml"), "run", `${url}/api/openapi.json`, ...options],
    {
      cwd: folder, // for what it leaves behind
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        PYTHONDONTWRITEBYTECODE: "1",
        SCHEMATHESIS_HOOKS: join(import.meta.dirname, "hooks.py"),
        CONTRACT_SEEDS: JSON.stringify(seeds),
      },
      stdio: "inherit",
    },
  );
  const [code] = await once(child, "close");
  process.exitCode = code ?? 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
