import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { seededRandom } from "../../src/models/split-rows.ts";
import { figure, type Line } from "./figures.ts";

const sizes = [
  [11_250, 20, 100],
  [75_000, 12, 100],
  [45_000, 40, 100],
  [500_000, 20, 100],
] as const;

interface Fit {
  readonly cpuSeconds: number;
  readonly addedMib: number;
}

/** Two classes of noisy numbers, column by column, the class last. */
function writeTable(file: string, rows: number, features: number): void {
  const random = seededRandom(3);
  const cells = Float32Array.from({ length: rows * features }, random);
  const cell = (feature: number, row: number): number => cells[feature * rows + row]!;
  const classes = Float32Array.from({ length: rows }, (_, row) => {
    const sum = cell(0, row) * cell(1, row) + Math.sin(6 * cell(2, row)) + cell(3, row) + random() * 0.8;
    return sum > 1.3 ? 1 : 0;
  });
  writeFileSync(file, Buffer.concat([new Uint8Array(cells.buffer), new Uint8Array(classes.buffer)]));
}

/** Fits of 100 trees of depth 6 by our trainer and by xgboost of `XGBOOST_PYTHON`, one thread each, in turns. */
export async function benchTrees(rounds: number): Promise<Line[]> {
  const python = process.env.XGBOOST_PYTHON;
  if (python === undefined) throw new Error("XGBOOST_PYTHON is to be a Python with numpy and xgboost.");
  const folder = mkdtempSync(path.join(tmpdir(), "trees-bench-"));
  try {
    return sizes.flatMap(([rows, features, trees]) => {
      const file = path.join(folder, "table");
      writeTable(file, rows, features);
      const fitBy = (program: string, script: string): Fit => {
        const command = [path.join(import.meta.dirname, script), file, `${rows}`, `${features}`, `${trees}`];
        return JSON.parse(execFileSync(program, command, { encoding: "utf8" })) as Fit;
      };
      const turns = Array.from({ length: rounds }, () => ({
        ours: fitBy(process.execPath, "fit-trees.ts"),
        theirs: fitBy(python, "fit_xgboost.py"),
      }));
      const what = `${rows} × ${features}`;
      const line = (of: string, unit: string, value: (turn: (typeof turns)[number]) => number): Line => ({
        what: `${what}: ${of}`,
        unit,
        figure: figure(turns.map(value)),
      });
      return [
        line("ours", "s", ({ ours }) => ours.cpuSeconds),
        line("xgboost", "s", ({ theirs }) => theirs.cpuSeconds),
        line("ours by xgboost's", "times", ({ ours, theirs }) => ours.cpuSeconds / theirs.cpuSeconds),
        line("ours, added to the peak", "MiB", ({ ours }) => ours.addedMib),
        line("xgboost, added to the peak", "MiB", ({ theirs }) => theirs.addedMib),
      ];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
