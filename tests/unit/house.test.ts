import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/**
 * The rooms of each tree from the top floor down, as docs/info.md, «Layout», pictures them: a folder, or a file that stands at
 * the top of the tree. What a room imports is its own or stands below it.
 */
const floors: Record<string, string[]> = {};
const [, picture = ""] = /```text\n(src [\s\S]*?)```/.exec(readFileSync(join(root, "docs/info.md"), "utf8")) ?? [];
for (const line of picture.split("\n").filter((each) => each.includes("→"))) {
  const [, tree = Object.keys(floors).at(-1)!, floor = ""] = /^(\S+)?\s+(.*)$/.exec(line) ?? [];
  floors[tree] = [...(floors[tree] ?? []), ...floor.split(" → ")];
}

interface File {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** Everything that Node runs there; `otel/register` has no ending. */
function filesOf(tree: string): File[] {
  return readdirSync(join(root, tree), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[cm]?[jt]sx?$/.test(name) || name === "register")
    .map((name) => join(tree, name))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/**
 * The files that a file names by a relative path, in whatever way: import of values or types, static or called, require,
 * the URL of a worker, join.
 */
function filesNamedIn({ path, text }: File): string[] {
  const named = [...text.matchAll(/["'`](\.{1,2}\/[^"'`\s]+)["'`]/g)].map(([, name = ""]) =>
    normalize(join(dirname(path), name)),
  );
  return named.filter((each) => existsSync(join(root, each)) && statSync(join(root, each)).isFile());
}

/** Packages that a file loads; `import type` is gone before it runs. */
function packagesLoadedBy({ text }: File): string[] {
  const statements = /^(?:import|export)(?! type)\s[^;]*?from "([^".][^"]*)"|(?:import|require)\(?\s*"([^".][^"]*)"/gm;
  return [...text.matchAll(statements)].map(([, of, called]) => of ?? called ?? "");
}

const isIn = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);
const roomOf = (tree: string, path: string): string =>
  relative(tree, path)
    .split("/")[0]!
    .replace(/\.[cm]?[jt]sx?$/, "");

/** What a file names upstairs, and a room that has no floor. */
function faultsOf(tree: string, file: File): string[] {
  const order = floors[tree]!;
  const floor = order.indexOf(roomOf(tree, file.path));
  if (floor === -1) return [`${file.path}: its room has no floor`];
  return filesNamedIn(file)
    .filter((named) => isIn(named, tree) && order.indexOf(roomOf(tree, named)) < floor)
    .map((named) => `${file.path} → ${named}`);
}

test("the picture has the trees", () => {
  expect(Object.keys(floors)).toEqual(["src", "src/datasets", "otel", "infra/monitoring"]);
});

test.each(Object.keys(floors))(
  "no import of %s goes from a lower room to a higher one, and every room has its floor",
  (tree) => {
    const files = filesOf(tree);
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap((file) => faultsOf(tree, file))).toEqual([]);
    const rooms = new Set(files.map(({ path }) => roomOf(tree, path)));
    expect(floors[tree]!.filter((room) => !rooms.has(room))).toEqual([]);
  },
);

test.each([
  'import { runTraining } from "../training/training-worker.ts";',
  'import type { Run } from "../training/training-worker.ts";',
  'const late = await import("../training/training-worker.ts");',
  'type Run = import("../training/training-worker.ts").Run;',
  'const { runTraining } = require("../training/training-worker.ts");',
  'new Worker(new URL("../training/training-worker.ts", import.meta.url));',
])("a room's way upstairs is seen: %s", (text) => {
  expect(faultsOf("src", { path: "src/store/any.ts", text })).toEqual([
    "src/store/any.ts → src/training/training-worker.ts",
  ]);
  expect(faultsOf("src", { path: "src/main.ts", text: text.replace("..", ".") })).toEqual([]);
});

test("otel names nothing outside of itself, so that it can be taken elsewhere", () => {
  const outside = filesOf("otel").flatMap((file) =>
    filesNamedIn(file)
      .filter((named) => !isIn(named, "otel"))
      .map((named) => `${file.path} → ${named}`),
  );
  // The version of whatever application it stands in.
  expect(outside).toEqual(["otel/sdk.ts → package.json"]);
});

test("of what stands beside them, src names otel/api and otel/settings only, and infra no test", () => {
  const below = ["src", "otel/api", "otel/settings"];
  const outside = (tree: string, allowed: readonly string[]) =>
    filesOf(tree).flatMap((file) =>
      filesNamedIn(file)
        .filter((named) => !allowed.some((folder) => isIn(named, folder)) && named !== "package.json")
        .map((named) => `${file.path} → ${named}`),
    );
  expect(outside("src", below)).toEqual([]);
  expect(outside("infra", [...below, "infra"])).toEqual([]);
});

test("nothing of otel/api and otel/settings comes to load more of OpenTelemetry than its API", () => {
  const files = new Map(filesOf("otel").map((file) => [file.path, file]));
  const reached = new Set([...files.keys()].filter((path) => isIn(path, "otel/api") || isIn(path, "otel/settings")));
  for (const path of reached)
    for (const named of filesNamedIn(files.get(path)!)) if (files.has(named)) reached.add(named);
  const loads = [...reached].flatMap((path) => packagesLoadedBy(files.get(path)!));
  expect(new Set(loads.filter((name) => !name.startsWith("node:")))).toEqual(new Set(["@opentelemetry/api"]));
  // The same eye sees the SDK where it is.
  expect(packagesLoadedBy(files.get("otel/metrics-sdk.ts")!)).toContain("@opentelemetry/sdk-metrics");
});
