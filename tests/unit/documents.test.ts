import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? "");
const pages = [
  "README.md",
  "README.ru.md",
  ...globSync("docs/**/*.md", { cwd: root }),
  ...globSync("infra/*/**/README.md", { cwd: root }),
]
  .filter((path) => !path.includes("node_modules"))
  .sort();

/** Without what is quoted, where brackets are no links. */
const prose = (path: string): string =>
  read(path)
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, "")
    .replaceAll(/`[^`\n]*`/g, "``");

/** Headings as GitHub makes anchors of them. */
const anchorsOf = (path: string): string[] =>
  all(read(path), /^#+ (.+)$/gm).map((heading) =>
    heading
      .replaceAll(/\]\([^)]*\)/g, "]")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );

/** Where the links of a page lead within the repository. */
const linksOf = (path: string): { target: string; anchor: string | undefined }[] =>
  all(prose(path), /\]\(([^)\s]+)\)/g)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [target = "", anchor] = link.split("#");
      return { target: target === "" ? path : normalize(join(dirname(path), target)), anchor };
    });

describe.each(pages)("%s", (path) => {
  test("has no marks of a merge", () => {
    expect(read(path)).not.toMatch(/^(<<<<<<<|>>>>>>>) /m);
  });

  test("links to files and headings that are there", () => {
    for (const { target, anchor } of linksOf(path)) {
      expect(existsSync(join(root, target)), target).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(target), target).toContain(anchor);
    }
  });
});

test("the index, and the indexes that it names, link every page", () => {
  const indexes = ["docs/README.md", "docs/adr/README.md", "docs/runbooks/README.md"];
  const linked = new Set(indexes.flatMap((index) => linksOf(index).map(({ target }) => target)));
  expect(pages.filter((path) => path.startsWith("docs/") && path !== "docs/README.md" && !linked.has(path))).toEqual(
    [],
  );
  expect(linksOf("README.md").map(({ target }) => target)).toContain("docs/README.md");
});

/** What a translation has in common with its page: the shape, what is typed, where links lead, and figures. */
const sharedWith = (path: string): Record<string, string[]> => {
  const text = read(path);
  return {
    headings: all(text, /^(#+) /gm),
    blocks: all(text, /^```(\w*\n[\s\S]*?)^```/gm),
    code: all(text.replaceAll(/^```[\s\S]*?^```/gm, ""), /`([^`\n]+)`/g),
    links: linksOf(path)
      .map(({ target, anchor }) => `${target}#${anchor ?? ""}`)
      .filter((link) => !/^README(\.ru)?\.md#/.test(link)),
    rows: all(text, /^(\|)/gm),
    figures: all(text, /(?<![\w.])(\d+)/g).sort(),
  };
};

test.each([["README.md", "README.ru.md"]])("%s and %s say the same", (page, translation) => {
  expect(sharedWith(translation)).toEqual(sharedWith(page));
});
