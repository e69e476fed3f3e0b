/** Runs the lines that the console gives for Python, with a key, and compares what the model says there with what the service says. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Model, Predictions } from "../../src/console/api/answers.ts";
import { pythonSnippet } from "../../src/console/words/snippets.ts";
import { eventually, root, startService } from "./processes.ts";

const python = process.argv[2];
if (python === undefined) throw new Error("Usage: node tests/e2e/snippet-in-python.ts <python with onnxruntime>");

const key = "a-key-for-python";
const folder = mkdtempSync(join(tmpdir(), "mlops-backend-snippet-"));
const hash = createHash("sha256").update(key).digest("hex");
const { service, url } = await startService(join(folder, "data"), { API_KEYS: `somebody:${hash}` });

async function call<Answer>(path: string, body?: FormData | object): Promise<Answer> {
  const isForm = body instanceof FormData;
  const answer = await fetch(`${url}/api/ml/v1${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${key}`, ...(body && !isForm && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

/** All kinds of columns, with names that are to be quoted, and missing cells. */
function oddTable(): string {
  const rows = Array.from({ length: 200 }, (_, at) => {
    const moment = new Date(Date.UTC(2024, 0, 1 + at, at % 24)).toISOString().slice(0, 19);
    return `${at % 7 ? at * 1.5 : ""},${at % 3 === 0},${moment},${moment.slice(11)},"d'or ${at % 4}",${at % 5},${at % 3 ? "a" : "b"}`;
  });
  return `"weight, ""kg""",new,made at,at,it's,никогда,label\n${rows.join("\n")}\n`;
}

async function upload(name: string, text: string): Promise<string> {
  const form = new FormData();
  form.append("file", new Blob([text]), `${name}.csv`);
  return (await call<{ id: string }>("/datasets/upload", form)).id;
}

async function train(wanted: { datasetId: string; mode: string; target: string }): Promise<Model> {
  const { id } = await call<{ id: string }>("/training-runs", wanted);
  const artifactId = await eventually(`a model of ${wanted.target}`, 120, async () => {
    const run = await call<{ status: string; artifactId: string | null }>(`/training-runs/${id}`);
    return run.artifactId ?? undefined;
  });
  return await call<Model>(`/artifacts/${artifactId}`);
}

/** What Python says of the example is what the service says of it. */
async function compare({ id, target, mode, input }: Model): Promise<boolean> {
  const row = input!.example;
  const { predictions } = await call<Predictions>(`/artifacts/${id}/predictions`, { rows: [row] });
  const { prediction } = predictions[0]!;
  const said = execFileSync(python!, ["-c", pythonSnippet({ root: `${url}/`, id, row, hasKey: true })], {
    env: { ...process.env, API_KEY: key },
    encoding: "utf8",
  });
  const told = /'label': array\(\['(.*?)'\]/.exec(said)?.[1] ?? Number(/'value': array\(\[\[(.*?)\]/.exec(said)?.[1]);
  const isSame =
    typeof prediction === "number"
      ? Math.abs(prediction - Number(told)) <= 1e-4 * Math.max(1, Math.abs(prediction))
      : prediction === told;
  if (!isSame) console.log(`FAIL ${mode} ${target}: ${prediction} here, and in Python\n${said}`);
  return isSame;
}

try {
  const weather = await upload("weather", readFileSync(join(root, "tests/data/seattle-weather.csv"), "utf8"));
  const odd = await upload("odd", oddTable());
  const results: boolean[] = [];
  for (const mode of ["light", "heavy"])
    for (const [datasetId, target] of [
      [weather, "weather"],
      [weather, "temp_max"],
      [odd, "label"],
    ] as const)
      results.push(await compare(await train({ datasetId, mode, target })));
  const passed = results.filter(Boolean).length;
  console.log(`${passed} passed, ${results.length - passed} failed`);
} finally {
  await service[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}
