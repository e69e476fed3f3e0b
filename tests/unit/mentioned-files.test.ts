import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** Files of users, or of a moment: not of the repository, though they are called like some of it. */
const notOurs = new Set([
  ...["RENDERED.yaml", "core.yaml", "lasting.yaml", "custom-resources.ts", "my-values.yaml", "PART.sh"],
  ...["docker-compose.override.yml", "openapi.json", "backend.json", "times.json"],
]);

const folders = ["src", "otel", "infra", "tests", "docs", ".ci"];
/** Every file of the repository, from its root. */
const files = [
  ...readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : [])),
  ...folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  ),
].filter((path) => !/(^|\/)(node_modules|\.terraform)\//.test(path));
/** Each by all the ends of its path: `catalogue.ts`, `catalogue/catalogue.ts`, … */
const ends = new Set(files.flatMap((path) => path.split("/").map((_, index, parts) => parts.slice(index).join("/"))));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

const ending = "(?:ts|cts|cjs|sh|py|ya?ml|json|md|tf)";
const fileName = new RegExp(`(?<![\\w/.*<>{}$-])(?:[\\w.-]+/)*[\\w.-]*\\w\\.${ending}(?![\\w/*-]|\\.\\w)`, "g");
const folderName = new RegExp(
  `(?<![\\w/.*<>{}$-])(?:${folders.join("|").replace(".", "\\.")})(?:/[\\w.-]*\\w)+(?![\\w*<>{}$-]|/[*<{$])`,
  "g",
);

/** What a text calls as one calls files and folders of the repository, and what is not there. */
function missingIn(text: string, place: string): string[] {
  const named = new Set([...text.matchAll(fileName), ...text.matchAll(folderName)].map(([name]) => name));
  return [...named].filter(
    (name) =>
      !existsSync(join(root, name)) &&
      !existsSync(join(root, dirname(place), name)) &&
      !ends.has(name) &&
      !notOurs.has(name.slice(name.lastIndexOf("/") + 1)),
  );
}

/** Without blocks of code: those show other people's files, too. */
const proseOf = (markdown: string): string => markdown.replace(/^ *```[\s\S]*?^ *```$/gm, "");

function codeIn(markdown: string): string {
  return [...proseOf(markdown).matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code).join("\n");
}

function commentsIn(code: string, path: string): string {
  const comments = /\.(ts|cts|cjs)$/.test(path) ? /^\s*(?:\/\/|\/?\*)\s.*$|\s\/\/ .*$|\/\*\* .*$/gm : /(?:^|\s)# .*$/gm;
  return [...code.matchAll(comments)].map(([comment]) => comment).join("\n");
}

const documents = files.filter((path) => path.endsWith(".md"));
const sources = files.filter((path) => /\.(ts|cts|cjs|sh|py|ya?ml|tf)$/.test(path) || path === ".ci/run");

test("files and folders that the documents name are there", () => {
  expect(documents.length).toBeGreaterThan(60);
  const missing = documents.flatMap((path) => missingIn(codeIn(read(path)), path).map((name) => `${path}: ${name}`));
  expect(missing).toEqual([]);
});

test("what the documents link to is there", () => {
  const missing = documents.flatMap((path) => {
    const links = [...proseOf(read(path)).matchAll(/\]\((?![a-z]+:|#)([^)\s#]+)[^)\s]*\)/g)].map(
      ([, link = ""]) => link,
    );
    const gone = links.filter((link) => !existsSync(join(root, normalize(join(dirname(path), link)))));
    return gone.map((link) => `${path}: ${link}`);
  });
  expect(missing).toEqual([]);
});

test("files and folders that comments name are there", () => {
  expect(sources.length).toBeGreaterThan(400);
  const missing = sources.flatMap((path) =>
    missingIn(commentsIn(read(path), path), path).map((name) => `${path}: ${name}`),
  );
  expect(missing).toEqual([]);
});

test("code that sources name from the root, in whatever string, is there", () => {
  // A test's, of a room that need not be there, and the one that docs/info.md shows.
  const madeUp = new Set(["src/store/any.ts", "otel/api/catalogue/greetings.ts"]);
  const fromRoot = /(?<![\w/.$}-])(?:\.\/)?((?:src|otel|infra|tests)\/[\w./-]*\w\.(?:ts|cts|cjs|sh|py))\b/g;
  const missing = sources.flatMap((path) =>
    [...read(path).matchAll(fromRoot)]
      .map(([, name = ""]) => name)
      .filter((name) => !existsSync(join(root, name)) && !madeUp.has(name))
      .map((name) => `${path}: ${name}`),
  );
  expect(missing).toEqual([]);
});
