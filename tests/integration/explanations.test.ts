import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningService, startService } from "../support/service.ts";

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

interface Explained {
  readonly output: string;
  readonly bias: number;
  readonly contributions: Record<string, number>;
  readonly margin: number;
}
interface Answered {
  readonly prediction: number | string;
  readonly probabilities?: Record<string, number>;
  readonly explanation: Explained[];
}

const columns = ["size", "city", "day", "noise"];
/** A number, a text of 70 values, a date, and a column that says nothing; each has gaps. */
const rows = Array.from({ length: 400 }, (_, row) => ({
  size: row % 17 === 0 ? null : (row * 7) % 50,
  city: row % 13 === 0 ? null : `city ${row % 4 === 0 ? row % 7 : row % 70}`,
  day: row % 19 === 0 ? null : new Date(Date.UTC(2024, 0, 1 + row)).toISOString().slice(0, 10),
  noise: (row * 37) % 11,
}));
const amounts = rows.map(({ size, day }) => (size ?? 20) * 3 + (day === null ? 0 : Number(day.slice(5, 7)) * 5));
const kinds = amounts.map((amount) => (amount < 80 ? "small" : amount < 130 ? "middling" : "large"));
const csvOf = (target: readonly (number | string)[]) =>
  `${columns.join(",")},target\n${rows.map((row, at) => [...Object.values(row), target[at]].join(",")).join("\n")}\n`;

async function trained(csv: string, run: Record<string, unknown>): Promise<string> {
  const { json: dataset } = await service.upload(csv, { target: "target", name: crypto.randomUUID() });
  const { json: ended } = await service.train(dataset.id, run);
  expect(ended).toMatchObject({ status: "succeeded" });
  return `/artifacts/${ended.artifactId}/predictions`;
}

async function explained(path: string, some: readonly object[] = rows.slice(0, 50)): Promise<Answered[]> {
  const plain = await service.call("POST", path, { rows: some });
  const { status, json } = await service.call("POST", `${path}?explain=true`, { rows: some });
  expect(status).toBe(200);
  // What is said beside explanations is the same as without.
  expect(json.predictions.map(({ explanation: _, ...rest }: Answered) => rest)).toEqual(plain.json.predictions);
  return json.predictions;
}

function expectSums(explanation: readonly Explained[], outputs: readonly string[]): void {
  expect(explanation.map(({ output }) => output)).toEqual(outputs);
  for (const { bias, contributions, margin } of explanation) {
    expect(Object.keys(contributions).sort()).toEqual([...columns].sort());
    const sum = Object.values(contributions).reduce((total, value) => total + value, bias);
    expect(sum).toBeCloseTo(margin, 9);
  }
}

// A prediction is of 32-bit floats, as XGBoost's: of a linear model of years these have some four digits of a chance.
describe.each(["light", "heavy"] as const)("explain=true of a %s model: what columns add makes the answer", (mode) => {
  test("of a number", async () => {
    const answers = await explained(await trained(csvOf(amounts), { task: "regression", mode }));
    for (const { prediction, explanation } of answers) {
      expectSums(explanation, ["target"]);
      expect(explanation[0]!.margin).toBeCloseTo(prediction as number, 2);
    }
    const sizeOf = (column: string) =>
      answers.reduce((sum, { explanation }) => sum + Math.abs(explanation[0]!.contributions[column]!), 0);
    expect(sizeOf("size")).toBeGreaterThan(5 * sizeOf("noise"));
  });

  test("of two classes: the log odds of the second", async () => {
    const path = await trained(csvOf(kinds.map((kind) => (kind === "small" ? "no" : "yes"))), { mode });
    for (const { probabilities, explanation } of await explained(path)) {
      expectSums(explanation, ["yes"]);
      expect(1 / (1 + Math.exp(-explanation[0]!.margin))).toBeCloseTo(probabilities!.yes!, 3);
    }
  });

  test("of more classes: the score of each", async () => {
    for (const { probabilities, explanation } of await explained(await trained(csvOf(kinds), { mode }))) {
      expectSums(explanation, ["large", "middling", "small"]);
      const scores = explanation.map(({ margin }) => Math.exp(margin));
      const all = scores.reduce((sum, score) => sum + score);
      for (const [at, { output }] of explanation.entries())
        expect(scores[at]! / all).toBeCloseTo(probabilities![output]!, 3);
    }
  });
});

test("of counts the margin is the logarithm, and a column that no tree asks for adds nothing", async () => {
  const counts = rows.map(({ noise }) => noise);
  const csv = csvOf(counts).replace("noise,", "twin,");
  const { json: dataset } = await service.upload(csv, { target: "target", name: crypto.randomUUID() });
  const { json: run } = await service.train(dataset.id, {
    task: "regression",
    mode: "heavy",
    parameters: { objective: "count:poisson", maxDepth: 1, rounds: 40 },
  });
  const path = `/artifacts/${run.artifactId}/predictions?explain=true`;
  const { json } = await service.call("POST", path, {
    rows: rows.map(({ noise, ...row }) => ({ ...row, twin: noise })),
  });
  for (const { prediction, explanation } of json.predictions as Answered[]) {
    const [{ contributions, margin }] = explanation as [Explained];
    expect(Math.exp(margin)).toBeCloseTo(prediction as number, 4);
    for (const column of ["size", "city", "day"]) expect(contributions[column]).toBe(0);
    expect(contributions.twin).not.toBe(0);
  }
});

test("of a linear model a column adds its weight times its distance from the mean", async () => {
  const path = await trained(csvOf(amounts), { task: "regression", mode: "light" });
  const { json: document } = await service.call("GET", path.replace("predictions", "content"));
  const size = document.coefficients.features.find(({ column }: { column: string }) => column === "size");
  const [atMean, oneMore] = await explained(path, [
    { ...rows[1], size: size.mean },
    { ...rows[1], size: size.mean + 1 },
  ]);
  expect(atMean!.explanation[0]!.contributions.size).toBeCloseTo(0, 4);
  expect(oneMore!.explanation[0]!.contributions.size).toBeCloseTo(size.weights[0], 4);
});

test("more than an answer holds is refused, with the number of rows that it holds", async () => {
  const names = Array.from({ length: 60 }, (_, at) => `column ${at} `.padEnd(1_000, "x"));
  const line = (row: number) => names.map((_, at) => (row * ((at % 16) + 1)) % 17).join(",");
  const lines = Array.from({ length: 1_000 }, (_, row) => line(row));
  const csv = `${names.join(",")},target\n${lines.map((each, row) => `${each},${row % 17}`).join("\n")}\n`;
  const path = await trained(csv, { task: "regression", mode: "light" });
  const ask = (count: number) =>
    service.call("POST", `${path}?explain=true`, `${names.join(",")}\n${lines.slice(0, count).join("\n")}\n`, {
      "content-type": "text/csv",
    });
  const refused = await ask(1_000);
  expect(refused.json).toMatchObject({ status: 422, code: "PREDICTION_TOO_LARGE" });
  const most = Number(/Send (\d+) at most/.exec(refused.json.detail)?.[1]);
  expect((await ask(most + 1)).status).toBe(422);
  const answer = await ask(most);
  expect(answer.status).toBe(200);
  expect(answer.json.predictions).toHaveLength(most);
  expect(Object.keys(answer.json.predictions.at(-1).explanation[0].contributions)).toHaveLength(names.length);
  expect((await service.call("POST", `${path}?explain=perhaps`, { rows: [{}] })).json.code).toBe("VALIDATION_FAILED");
});
