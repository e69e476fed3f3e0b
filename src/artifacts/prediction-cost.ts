/** What a prediction is about to do, as far as it is known before it is done. */
export interface PredictionWork {
  readonly format: "json" | "csv";
  readonly bodyBytes: number;
  /** At most; the body is not read yet. */
  readonly rows: number;
  readonly mode: "light" | "heavy";
  /** Of the model's file. Trees, their depth and weights all stand in it, so it bounds the work of a row. */
  readonly modelBytes: number;
  /** Whether the model is in memory already. */
  readonly isModelRead: boolean;
  /** None for a number. */
  readonly classes: readonly string[];
  /** Of a prediction with explanations: the model's columns. */
  readonly explainedColumns?: readonly string[] | undefined;
}

/** Where a prediction is made: on the event loop, or in a thread beside others that take as long. */
export type PredictionLane = "loop" | "short" | "long";

/** What one request may take of the event loop, in milliseconds of CPU. */
const loopBudgetMs = 20;
/** What a prediction may take that others with a model of usual size wait for. */
const shortBudgetMs = 300;

/*
 * Nanoseconds of CPU, Node 24 on a virtual core of 2 busy ones, of the dearest kind that was found for each: CSV of one
 * digit a cell, JSON of short names, trees of one split, a chance for each of 100 classes (docs/performance.md).
 */
const perBodyByte = { json: 60, csv: 150 } as const;
/** Reading it, and laying out its trees once. */
const perModelByte = 11;
/** For each row: a tree of one split takes 550 bytes of the file, a weight 20. */
const perModelByteAndRow = { light: 0.1, heavy: 0.04 } as const;
/** A chance in the answer, and each letter of its name. */
const perChance = 700;
const perLetter = 2;

/** What explanations take beside: the ways to a model's leaves once, then each of them for each row. */
const perExplainedByte = { light: 0, heavy: 8 } as const;
const perExplainedByteAndRow = { light: 0.3, heavy: 2.5 } as const;
/** Each with its name in the answer. */
const perContribution = 1_000;

/** CPU that the prediction takes, in milliseconds; rather too much than too little. */
export function estimateMs(work: PredictionWork): number {
  const reading = work.bodyBytes * perBodyByte[work.format] + (work.isModelRead ? 0 : work.modelBytes * perModelByte);
  const predicting = work.rows * work.modelBytes * perModelByteAndRow[work.mode];
  const letters = work.classes.reduce((sum, name) => sum + name.length, 0);
  const answering = work.rows * (Math.max(1, work.classes.length) * perChance + letters * perLetter);
  return (reading + predicting + answering + explaining(work)) / 1e6;
}

function explaining({ explainedColumns, rows, mode, modelBytes, classes }: PredictionWork): number {
  if (explainedColumns === undefined) return 0;
  const computing = modelBytes * (perExplainedByte[mode] + rows * perExplainedByteAndRow[mode]);
  const letters = explainedColumns.reduce((sum, name) => sum + name.length, 0);
  const outputs = classes.length > 2 ? classes.length : 1;
  return computing + rows * outputs * (explainedColumns.length * perContribution + letters * perLetter);
}

/** Where to make it, so that no other request waits for it longer than it should. */
export function laneOf(work: PredictionWork): PredictionLane {
  const ms = estimateMs(work);
  return ms <= loopBudgetMs ? "loop" : ms <= shortBudgetMs ? "short" : "long";
}

/** At most so many rows can stand in the body: a JSON row begins with a brace, a CSV row after a line end. */
export function rowsAtMost(format: PredictionWork["format"], body: Uint8Array, limit: number): number {
  const mark = format === "json" ? 0x7b : 0x0a;
  const otherMark = format === "json" ? mark : 0x0d;
  let rows = 1;
  // Each call goes from mark to mark in native code, and ends at the limit.
  for (const wanted of new Set([mark, otherMark])) {
    for (let at = body.indexOf(wanted); at >= 0 && rows < limit; at = body.indexOf(wanted, at + 1)) rows += 1;
  }
  return Math.min(rows, limit);
}
