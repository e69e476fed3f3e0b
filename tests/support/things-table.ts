import { expect } from "vitest";
import { type Answer, eventually, type RunningService } from "./service.ts";

/** Sixty things with a price, of which one in ten is not known, and a weight; who costs less than 25 is cheap. */
export const things = Array.from({ length: 60 }, (_, row) => {
  const price = 10 + ((row * 17) % 30) + 0.25;
  return {
    price: row % 10 === 3 ? "" : String(price),
    kg: String((row * 7) % 9),
    label: price < 25 ? "cheap" : "dear",
  };
});

/** How it is written. */
export interface Manner {
  /** How a number is written, by the place of its column. */
  readonly number?: (numeral: string, place: number) => string;
  readonly delimiter?: string;
  readonly decimal?: string;
  readonly before?: string;
  readonly missing?: string;
  readonly lineEnd?: string;
  /** A column without a name in front, as pandas and R write it. */
  readonly index?: (row: number) => string;
  /** A delimiter at the end of each line. */
  readonly isClosed?: boolean;
}

/** The table as a CSV of that manner. */
export function writeThings(manner: Manner): string {
  const { delimiter = ",", decimal = ".", before = "", missing = "", lineEnd = "\n", index, isClosed = false } = manner;
  const { number = (numeral: string) => numeral.replace(".", decimal) } = manner;
  const lines = things.map(({ price, kg, label }) => [price === "" ? missing : number(price, 0), number(kg, 1), label]);
  const table = [["price", "kg", "label"], ...lines].map((cells, line) =>
    [...(index === undefined ? [] : [line === 0 ? "" : index(line - 1)]), ...cells, ...(isClosed ? [""] : [])].join(
      delimiter,
    ),
  );
  return before + table.map((line) => line + lineEnd).join("");
}

/** What the file of a manner is understood as, the model that is trained on it, and what that says of the file itself. */
export async function lifeOf(service: RunningService, content: string | Buffer, name: string, toPredict = content) {
  const uploaded = await service.upload(content, { name });
  expect(uploaded.json).toMatchObject({ target: "label", task: "classification", rows: 60, columns: 3 });
  const { id } = uploaded.json;
  const dataset = await eventually(async () => {
    const answer = await service.call("GET", `/datasets/${id}`);
    return answer.json.profile !== null && answer;
  });
  const run = await service.train(id, { mode: "heavy", parameters: { rounds: 20 } });
  expect(run.json).toMatchObject({ status: "succeeded" });
  const predictions = await service.call("POST", `/artifacts/${run.json.artifactId}/predictions`, toPredict, {
    "content-type": "text/csv",
  });
  return { uploaded, dataset, run, predictions };
}

/** What must be the same of each file that holds the table. */
export const factsOf = ({ dataset, run, predictions }: Record<"dataset" | "run" | "predictions", Answer>) => ({
  columns: dataset.json.profile.map(({ name, type, nullRatio, distinct, mean }: Record<string, unknown>) => ({
    name,
    type,
    nullRatio,
    distinct,
    mean,
  })),
  metrics: run.json.metrics,
  predictions: predictions.json.predictions,
});
