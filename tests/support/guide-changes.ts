import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const guide = readFileSync(join(root, "docs/prometheus_integration_guide.md"), "utf8");

/** The code blocks of one language under a heading of the guide, without the indentation of a list. */
export function guideBlocks(heading: string, language: string): string[] {
  const section = guide.split(/^(?=## )/m).find((text) => text.startsWith(`## ${heading}\n`)) ?? "";
  const blocks = [...section.matchAll(new RegExp(`^( *)\`\`\`${language}\n([^]*?)\n *\`\`\``, "gm"))];
  return blocks.map(([, indent = "", code = ""]) => code.replaceAll(new RegExp(`^${indent}`, "gm"), ""));
}

/**
 * The files of this repository that the guide changes, by their paths, as they are then. Each part of a change must fit at
 * exactly one place, or is a new file.
 */
export function guideChanges(): Map<string, string> {
  const changed = new Map<string, string>();
  const blocks = ["Adding a metric", "Adding a panel", "Adding an alert"].flatMap((heading) =>
    guideBlocks(heading, "diff"),
  );
  expect(blocks).toHaveLength(7);
  for (const block of blocks) {
    const [head = "", ...parts] = block.split(/^@@\n/m);
    const path = head.replace(/^\+\+\+ /, "").trim();
    const file = join(root, path);
    let text = changed.get(path) ?? (existsSync(file) ? readFileSync(file, "utf8") : "");
    expect(parts.length, head).toBeGreaterThan(0);
    for (const part of parts) text = withPart(text, part, head);
    changed.set(path, text);
  }
  return changed;
}

function withPart(text: string, part: string, head: string): string {
  const lines = part.split("\n").filter((line, index, all) => line !== "" || index < all.length - 1);
  const kept = (without: string): string =>
    lines
      .filter((line) => line[0] !== without)
      .map((line) => `${line.slice(1)}\n`)
      .join("");
  const around = text === "" && kept("+") === "" ? ["", ""] : text.split(kept("+"));
  expect(around, `fits once into ${head}:\n${part}`).toHaveLength(2);
  return around.join(kept("-"));
}
