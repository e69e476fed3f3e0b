/**
 * `npm run console:build`, and before `npm start`: builds the console where its sources have changed since.
 * `--if-possible`: says why it can't and ends well, since the service also runs without it.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { consoleFolder } from "../http/console-pages.ts";

const root = join(import.meta.dirname, "../..");
const builtFrom = "built-from.txt";
/** Beside the sources: what they are built by, and the sample. */
const furtherSources = ["package-lock.json", "tsconfig.json", "tests/data/seattle-weather.csv"];

/** A hash of all that is built from. Times of files say nothing after a clone or a copy into an image. */
function hashOfSources(): string {
  const own = readdirSync(import.meta.dirname, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  const hash = createHash("sha256");
  for (const path of [...own, ...furtherSources].sort())
    hash.update(`${path}\0`).update(readFileSync(join(root, path)));
  return hash.digest("hex");
}

function isBuiltFrom(hash: string): boolean {
  try {
    return readFileSync(join(consoleFolder, builtFrom), "utf8") === hash;
  } catch {
    // Nothing is built yet, or it can't be read: either way it is to be built.
    return false;
  }
}

/** Beside each file its compressed forms, made once and as small as can be; one that is hardly smaller is left away. */
function compressAssets(folder: string): void {
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name));
    const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
    if (brotli.length > bytes.length * 0.9) continue;
    writeFileSync(join(folder, `${name}.br`), brotli);
    writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
  }
}

/** Puts what was built in the place of what was there; where another was first with the same, that stays. */
function takePlace(next: string, hash: string): void {
  const last = `${next}.last`;
  try {
    mkdirSync(consoleFolder, { recursive: true });
    renameSync(consoleFolder, last);
    renameSync(next, consoleFolder);
  } catch (error) {
    if (!isBuiltFrom(hash)) throw error;
  } finally {
    rmSync(last, { recursive: true, force: true });
  }
}

/** What a build that was killed has left: nobody else would remove it. */
function removeAbandoned(): void {
  const folder = dirname(consoleFolder);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    const pid = /^console\.(\d+)(\.last)?$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

async function build(hash: string): Promise<void> {
  removeAbandoned();
  // Whatever the service is to be: React for development is half as large again, and slower.
  process.env.NODE_ENV = "production";
  // Loaded only where there is something to build: an image for production has neither.
  const [{ build: bundle }, { consoleConfig }] = await Promise.all([import("vite"), import("./vite-config.ts")]);
  // Beside the place where it goes, so that it comes there whole, also while another builds.
  const next = `${consoleFolder}.${process.pid}`;
  try {
    await bundle(consoleConfig(next));
    compressAssets(join(next, "assets"));
    writeFileSync(join(next, builtFrom), hash);
    takePlace(next, hash);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}

const isOptional = process.argv.includes("--if-possible");
try {
  const hash = hashOfSources();
  const isWanted = !isOptional || process.env.CONSOLE__ENABLED !== "false";
  if (isWanted && !isBuiltFrom(hash)) {
    process.stderr.write("Building the console, once until its sources change …\n");
    await build(hash);
  }
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason =
    code === "ERR_MODULE_NOT_FOUND"
      ? "its packages are not installed (npm ci without --omit=dev)"
      : message.split("\n")[0];
  process.stderr.write(`The console could not be built: ${reason}.\n`);
  if (!isOptional) process.exitCode = 1;
}
