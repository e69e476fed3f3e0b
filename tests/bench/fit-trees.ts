import { readFileSync } from "node:fs";
import { fitBoostedTrees } from "../../src/models/boosted-trees.ts";
import { placesOf } from "../../src/models/in-order.ts";

/**
 * `node tests/bench/fit-trees.ts FILE ROWS FEATURES ROUNDS`: one fit of trees on a table that `trees-bench.ts` wrote, column by
 * column; answers its CPU seconds and the MiB that it added to the peak, as JSON.
 */
const [file = "", ...sizes] = process.argv.slice(2);
const [rows = 0, features = 0, rounds = 0] = sizes.map(Number);
const bytes = readFileSync(file);
const column = (at: number): Float32Array => new Float32Array(bytes.buffer, bytes.byteOffset + 4 * rows * at, rows);
const peakMib = (): number => process.resourceUsage().maxRSS / 1024;

const before = { cpu: process.cpuUsage(), mib: peakMib() };
fitBoostedTrees(
  {
    columns: Array.from({ length: features }, (_, at) => column(at)),
    target: Float64Array.from(column(features)),
    loss: "logistic",
    quantile: 0.5,
    outputs: 1,
    rowWeights: undefined,
    fitRows: placesOf(rows),
    validationRows: new Int32Array(0),
    rounds,
    maxDepth: 6,
    learningRate: 0.1,
    earlyStoppingRounds: rounds,
    minChildWeight: 1,
    lambda: 1,
    alpha: 0,
    gamma: 0,
    subsample: 1,
    colsampleByTree: 1,
    maxBins: 255,
    seed: 1,
  },
  () => {},
);
const { user, system } = process.cpuUsage(before.cpu);
process.stdout.write(JSON.stringify({ cpuSeconds: (user + system) / 1e6, addedMib: peakMib() - before.mib }));
