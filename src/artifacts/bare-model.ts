import { type ModelHead, namesOfModel } from "../models/named-features.ts";

// A quotation mark within a text has a backslash before it in JSON: neither can stand in a name or category.
const metricsMark = Buffer.from(',"metrics":{');
const modelMark = Buffer.from('"model":{"learner":{"attributes":{},"feature_names":[],"feature_types":[],');

/** The XGBoost model of a model's file, with names. */
export interface BareModel {
  /** Its begin, up to where it is as in the file. */
  readonly head: Buffer;
  /** Bytes of the file in whose place `head` stands. */
  readonly replacedBytes: number;
  /** What comes behind it. */
  readonly rest: AsyncIterable<Buffer>;
}

/**
 * Takes the XGBoost model out of a model's file, whose last part it is, while the file is read: what is before it is looked at
 * and forgotten, and trees are passed on as they are.
 * @param file without its last byte, which closes the document
 */
export async function readBareModel(file: AsyncIterable<Buffer>): Promise<BareModel> {
  const chunks = file[Symbol.asyncIterator]();
  const untilMetrics = await readTo(metricsMark, Buffer.alloc(0), chunks, true);
  const untilModel = await readTo(modelMark, untilMetrics.behind, chunks, false);
  const names = namesOfModel(JSON.parse(`${untilMetrics.before.toString("utf8")}}`) as ModelHead);
  const head = Buffer.from(`{"learner":${JSON.stringify(names).slice(0, -1)},`);
  return {
    head,
    replacedBytes: untilMetrics.readBytes + untilModel.readBytes,
    rest: {
      async *[Symbol.asyncIterator]() {
        yield untilModel.behind;
        yield* { [Symbol.asyncIterator]: () => chunks };
      },
    },
  };
}

/** Reads on until a mark has been read; `readBytes` with it. */
async function readTo(mark: Buffer, first: Buffer, chunks: AsyncIterator<Buffer>, isKept: boolean) {
  const kept: Buffer[] = [];
  let readBytes = 0;
  for (let unread = first; ; ) {
    const found = unread.indexOf(mark);
    const passed = found >= 0 ? found : Math.max(0, unread.length - mark.length + 1);
    if (isKept) kept.push(unread.subarray(0, passed));
    readBytes += passed;
    if (found >= 0) {
      const behind = unread.subarray(found + mark.length);
      return { before: Buffer.concat(kept), behind, readBytes: readBytes + mark.length };
    }
    const next = await chunks.next();
    if (next.done === true) throw new Error(`The model's file has no ${mark.toString()}.`);
    unread = Buffer.concat([unread.subarray(passed), next.value]);
  }
}
