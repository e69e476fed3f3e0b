import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ModelDocument } from "../../../src/models/model.ts";
import { codeTexts } from "../../../src/models/text-codes.ts";
import type { ColumnSummary } from "../../../src/store/schema.ts";
import { plainDialect } from "../../../src/tables/dialect.ts";
import { loadTable } from "../../../src/training/load-table.ts";
import type { ChildProgress, ChildResult, ChildTask } from "../../../src/training/training-child.ts";
import { runTrainingProcess } from "../../../src/training/training-process.ts";
import { datasetPath } from "../../support/real-tables.ts";

const weather = datasetPath("seattle-weather.csv");
const weatherColumns: ColumnSummary[] = [
  { name: "date", type: "text" },
  { name: "precipitation", type: "number" },
  { name: "temp_max", type: "number" },
  { name: "temp_min", type: "number" },
  { name: "wind", type: "number" },
  { name: "weather", type: "text" },
];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "training-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const memoryBytes = 2 ** 31;

async function runProcess(task: Omit<ChildTask, "memoryBytes">): Promise<{ result: ChildResult; progress: number[] }> {
  const progress: number[] = [];
  const onProgress = (message: ChildProgress) => progress.push(message.progress);
  const result = await runTrainingProcess(
    { ...task, memoryBytes },
    { signal: new AbortController().signal, onProgress },
  );
  return { result, progress };
}

test("a CSV comes in as it is: quotes, line breaks, empty cells, both kinds of line end", async () => {
  const file = path.join(folder, "it's odd.csv");
  await writeFile(file, 'a,"b ""x""",c\r\n1,"one, ""two""\nthree",\r\n,,"héllo"\r\n-2.5e3,"",007\r\n');
  const table = await loadTable(file, [
    { name: "a", type: "number" },
    { name: 'b "x"', type: "text" },
    { name: "it's c", type: "text" },
  ]);
  expect(table).toEqual({
    rowCount: 3,
    columns: [
      { name: "a", kind: "number", numbers: Float64Array.of(1, Number.NaN, -2500) },
      { name: 'b "x"', kind: "text", ...codeTexts(['one, "two"\nthree', null, null]) },
      { name: "it's c", kind: "text", ...codeTexts([null, "héllo", "007"]) },
    ],
  });
});

test.each(["light", "heavy"] as const)("%s: the process writes the model it reports", async (mode) => {
  const modelPath = path.join(folder, `${mode}.json`);
  const { result, progress } = await runProcess({
    csvPath: weather,
    columns: weatherColumns,
    dialect: plainDialect,
    copyPath: path.join(folder, "copy.csv"),
    target: "weather",
    task: "classification",
    mode,
    parameters: {},
    modelPath,
  });
  if ("dataError" in result) throw new Error(result.dataError.message);
  const content = await readFile(modelPath);
  expect(result.sizeBytes).toBe(content.length);
  expect(result.sha256).toBe(createHash("sha256").update(content).digest("hex"));
  expect(result.droppedColumns).toEqual([{ name: "date", reason: "identifier" }]);
  expect(result.metrics.relativeError).toBeLessThan(0.8);
  expect(result.metrics.accuracy).toBeGreaterThan(result.metrics.baseline.accuracy! + 0.2);
  const document: ModelDocument = JSON.parse(content.toString());
  expect(document).toMatchObject({ format: "mlops-backend/model", mode, target: "weather", metrics: result.metrics });
  expect(progress.at(-1)).toBe(1);
});

test("a fault of the data comes back as such", async () => {
  const { result } = await runProcess({
    csvPath: weather,
    columns: weatherColumns,
    dialect: plainDialect,
    copyPath: path.join(folder, "copy.csv"),
    target: "snow",
    task: "classification",
    mode: "light",
    parameters: {},
    modelPath: path.join(folder, "none.json"),
  });
  expect(result).toMatchObject({ dataError: { code: "TARGET_NOT_FOUND" } });
});

test("a fault of the system is thrown", async () => {
  const task = {
    columns: weatherColumns,
    dialect: plainDialect,
    copyPath: path.join(folder, "copy.csv"),
    target: "weather",
    task: "classification",
    mode: "light",
    parameters: {},
  } as const;
  await expect(
    runProcess({ ...task, csvPath: path.join(folder, "gone.csv"), modelPath: path.join(folder, "none.json") }),
  ).rejects.toThrow();
});
