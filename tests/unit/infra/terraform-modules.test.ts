import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { chartSecrets } from "../../../infra/helm/values-schema.ts";
import { usualConnections } from "../../../src/store/connection-shares.ts";

const folder = join(import.meta.dirname, "../../../infra/terraform");
const read = (path: string): string => readFileSync(join(folder, path), "utf8");
const readme = read("README.md");

/** Blocks of that kind with their text. */
const blocks = (path: string, kind: "variable" | "output"): [string, string][] =>
  [...read(path).matchAll(new RegExp(`^${kind} "(\\w+)" \\{\\n(.*?)^\\}`, "gms"))].map(([, name = "", text = ""]) => [
    name,
    text,
  ]);
const descriptionOf = (text: string): string =>
  /^ {2}description = "(.*)"$/m.exec(text)?.[1]?.replaceAll('\\"', '"') ?? "";
/** The part of README.md under that heading. */
const section = (heading: string): string => readme.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";

describe.each(["aws", "kubernetes"])("module %s", (module) => {
  test("README.md has every input and output, with its description", () => {
    for (const [kind, heading] of [
      ["variable", "inputs"],
      ["output", "outputs"],
    ] as const) {
      const declared = blocks(`${module}/${kind}s.tf`, kind);
      const rows = section(`${module}: ${heading}`).match(/^\| `.*\|$/gm) ?? [];
      expect(rows.map((row) => /^\| `(\w+)`/.exec(row)?.[1])).toEqual(declared.map(([name]) => name));
      for (const [index, [name, text]] of declared.entries()) {
        expect(descriptionOf(text), name).not.toBe("");
        expect(rows[index], name).toContain(`| ${descriptionOf(text)} |`);
      }
    }
  });

  test("every input has a type, and what is secret is kept in no state", () => {
    for (const [name, text] of blocks(`${module}/variables.tf`, "variable")) {
      expect(text, name).toMatch(/^ {2}type += /m);
      const isSecret = /(password|token|api_keys|database_url|^otlp_headers)$/.test(name);
      expect(/^ {2}sensitive += true$/m.test(text) && /^ {2}ephemeral += true$/m.test(text), name).toBe(isSecret);
    }
  });
});

test("what the chart keeps in a Secret is no setting of the module, or it would be in the state", () => {
  const [, names = ""] = /!can\(regex\("(\^.*?\$)", name\)\)/.exec(read("kubernetes/variables.tf")) ?? [];
  for (const name of chartSecrets) expect(name).toMatch(new RegExp(names));
  expect("DATASET_TTL_DAYS").not.toMatch(new RegExp(names));
});

test("the connections that a database has to have room for are those of the service's roles", () => {
  const { api, worker } = usualConnections;
  expect(read("aws/variables.tf")).toContain(`up to ${api} connections and each worker up to ${worker}`);
  // And one of each beside them, while a rollout replaces it.
  const example = read("examples/complete/main.tf");
  const most = (role: string): number => Number(new RegExp(`${role} += \\{.*maximum = (\\d+)`).exec(example)?.[1]);
  const sum = (most("api") + 1) * api + (most("worker") + 1) * worker;
  expect(example).toContain(`${most("api")} api processes and ${most("worker")} workers take up to ${sum} connections`);
});
