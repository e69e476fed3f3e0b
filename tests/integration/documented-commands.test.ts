import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { withService } from "../support/service.ts";

const root = new URL("../..", import.meta.url).pathname;

interface Step {
  /** To be pasted into a shell as they stand. */
  readonly commands: string;
  /** What they write; `…` stands for what differs from one time to the next, or is left out. */
  readonly answer: string;
}

/** The blocks of commands under a heading that are followed by their answer. */
async function documentedSteps(file: string, heading: string): Promise<Step[]> {
  const text = await readFile(join(root, file), "utf8");
  const section = text.split(/^(?=#{2,3} )/m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  const steps = [...section.matchAll(/^```sh\n((?:(?!```).*\n)+)```\n+```(?:json|text)\n((?:(?!```).*\n)+)```/gm)];
  return steps.map(([, commands = "", answer = ""]) => ({ commands, answer }));
}

/** Runs all blocks in one shell, as somebody who pastes them one by one, and gives what each of them wrote. */
async function pasteIntoShell(steps: readonly Step[], replacements: Record<string, string>): Promise<string[]> {
  const end = "end-of-block";
  let script = steps.map(({ commands }) => `${commands}\necho ${end}\n`).join("");
  for (const [from, to] of Object.entries(replacements)) script = script.replaceAll(from, to);
  const { HOME, PATH } = process.env;
  const { stdout, stderr } = await promisify(execFile)("bash", ["--norc", "-eo", "pipefail", "-c", script], {
    cwd: root,
    env: { HOME, PATH: `${dirname(process.execPath)}${delimiter}${PATH}` },
  });
  expect(stderr).toBe("");
  return stdout.split(`${end}\n`).slice(0, -1);
}

function patternOf(answer: string): RegExp {
  const parts = answer.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[\\s\\S]*?")}$`);
}

describe.each([
  { file: "docs/first-steps.md", heading: "## Try it", origin: "http://127.0.0.1:8000", count: 4 },
  {
    file: "docs/prometheus_integration_guide.md",
    heading: "## Smoke tests",
    origin: "http://127.0.0.1:18000",
    count: 3,
  },
])("the commands of $file under «$heading»", ({ file, heading, origin, count }) => {
  test("do what is written there when they are pasted as they stand", async () => {
    const steps = await documentedSteps(file, heading);
    expect(steps).toHaveLength(count);
    const folder = await mkdtemp(join(tmpdir(), "mlops-backend-commands-"));
    try {
      await withService({}, async ({ url }) => {
        const written = await pasteIntoShell(steps, { [origin]: url, "/tmp/": `${folder}/` });
        for (const [index, { answer }] of steps.entries()) expect(written[index]).toMatch(patternOf(answer));
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
