import { spawnSync } from "node:child_process";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { parser } from "@prometheus-io/lezer-promql";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { alertFamilies } from "../../../infra/monitoring/rules/rule-files.ts";
import { ruleScope } from "../../../infra/monitoring/rules/rule-scope.ts";
import { datasetWarningReasons } from "../../../otel/api/catalogue/datasets.ts";
import { defaultPrefix } from "../../../otel/api/catalogue/metric-names.ts";
import { errorCodes } from "../../../src/errors.ts";
import { classifyFault, crashFault, timeoutFault } from "../../../src/training/run-lifecycle.ts";

const scope = ruleScope({ prefix: defaultPrefix, timeScale: 1 });
/** An alert that has rules of several is as urgent as its most urgent one. */
const bySeverity = ["critical", "warning", "ticket", "none"] as const;

const root = join(import.meta.dirname, "../../..");
const folder = "docs/runbooks";
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? "");

const index = read(`${folder}/README.md`);
const names = readdirSync(join(root, folder))
  .filter((name) => name !== "README.md")
  .map((name) => basename(name, ".md"));
const texts = new Map([...names, "README"].map((name) => [name, read(`${folder}/${name}.md`)]));
const blocksOf = (text: string, language: string): string[] =>
  all(text, new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"));
const everyBlock = (language: string): [string, string][] =>
  [...texts].flatMap(([name, text]) => blocksOf(text, language).map((block): [string, string] => [name, block]));

const sections = [
  "What users notice",
  "Look",
  "Causes, likeliest first",
  "It is over when",
  "Whom to call",
  "What not to do",
];

describe.each(names)("%s", (name) => {
  const text = texts.get(name) ?? "";

  test("has its sections, and is short enough for the night", () => {
    expect(text.split("\n", 1)[0]).toBe(`# ${name}`);
    expect(all(text, /^## (.+)$/gm)).toEqual(sections);
    const lines = text.split("\n").length;
    expect(lines).toBeGreaterThanOrEqual(35);
    expect(lines).toBeLessThanOrEqual(120);
    expect(text).toMatch(/^\*\*(critical|warning|ticket|none)\*\*/m);
    const [, look = ""] = text.split("## Look\n");
    // Whether it asks for what exists is lint-promql.test.ts' matter.
    expect(blocksOf(look.split(/^## /m)[0] ?? "", "promql").length).toBeGreaterThan(0);
  });

  test("numbers its causes from 1 on, each once, and names those alone whom to call for", () => {
    const [, causes = ""] = /^## Causes, likeliest first\n([\s\S]*?)^## /m.exec(text) ?? [];
    const headings = all(causes, /^### (.*)$/gm);
    const numbers = headings.map((heading) => Number(/^(\d+)\. \S/.exec(heading)?.[1]));
    expect(numbers).toEqual(headings.map((_, index) => index + 1));
    const [, calls = ""] = /^## Whom to call\n([\s\S]*?)^## /m.exec(text) ?? [];
    expect(calls.trim()).not.toBe("");
    // Neither statuses in brackets nor times and amounts: those have a unit or more digits.
    const called = all(calls.replaceAll(/`[^`]*`/g, ""), /(?<![\w.])(\d)(?![\w.]*\w)/g).map(Number);
    expect(called.filter((number) => !numbers.includes(number))).toEqual([]);
  });

  test("is of an alert, and shows its dashboard with panels that are there", () => {
    const rules = alertFamilies.filter((family) => family.name === name).flatMap(({ rules }) => rules(scope));
    const severities = rules.map(({ severity }) => severity);
    expect(/^\*\*(\w+)\*\*/m.exec(text)?.[1]).toBe(bySeverity.find((severity) => severities.includes(severity)));
    const linked = all(text, /\/d\/(mlops-backend-\w+)\)/g);
    expect(linked).toEqual(expect.arrayContaining(rules.map(({ dashboard }) => `mlops-backend-${dashboard}`)));
    const titles = linked.flatMap((uid) =>
      JSON.parse(read(`infra/monitoring/grafana/dashboards/${uid}.json`)).panels.map(
        ({ title }: { title?: string }) => title,
      ),
    );
    const shown = all(text, /«([^»]+)»/g).map((title) => title.replace("\n", " "));
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.filter((title) => !titles.includes(title))).toEqual([]);
  });

  test("stands in the index with the same severity", () => {
    const row = new RegExp(`^\\| \\[${name}\\]\\(${name}\\.md\\) \\| (\\w+) \\| [^|]+ \\| [^|]+ \\|$`, "m").exec(index);
    expect(row?.[1]).toBe(/^\*\*(\w+)\*\*/m.exec(text)?.[1]);
  });
});

test.each(everyBlock("promql"))("%s: a block is pasted whole, so it is one query: %s", (_name, block) => {
  parser.parse(block).iterate({ enter: ({ type }) => expect(type.isError, block).toBe(false) });
});

test("there is one for each alert, and the index has them all", () => {
  const alerts = [...new Set(alertFamilies.map(({ name }) => name))].sort();
  expect([...names].sort()).toEqual(alerts);
  expect(all(index, /^\| \[(\w+)\]/gm)).toEqual(alerts);
});

describe("SQL", () => {
  let place = "";
  let database: PGlite;
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), "runbook-sql-"));
    await cp(inject("migratedFolder"), place, { recursive: true });
    database = await PGlite.create(join(place, "database"));
  });
  afterAll(async () => {
    await database.close();
    await rm(place, { recursive: true, force: true });
  });

  test("a copy of the embedded database is looked at as the index says", async () => {
    const [program = ""] = all(index, /<<'JS'\n([\s\S]*?)^JS$/gm);
    const copy = join(place, "look");
    await cp(join(inject("migratedFolder"), "database"), copy, { recursive: true });
    const options = ["--input-type=module", "-", copy, "select 40 + 2 as answer"];
    const { stdout, stderr } = spawnSync(process.execPath, options, { cwd: root, input: program, encoding: "utf8" });
    expect(stdout, stderr).toContain("42");
  });

  test.each(everyBlock("sql"))("%s: the database takes %s", async (_name, statements) => {
    expect((await database.exec(statements)).length).toBeGreaterThan(0);
  });
});

const ownSources = globSync(["src/**/*.ts", "otel/**/*.ts"], { cwd: root }).map(read);
const sources = [...ownSources, ...globSync("node_modules/pg-boss/dist/*.js", { cwd: root }).map(read)].join("\n");

test.each(everyBlock("sh"))("%s: the shell takes %s", (_name, commands) => {
  const { status, stderr } = spawnSync("bash", ["-n"], { input: commands, encoding: "utf8" });
  expect(status, stderr).toBe(0);
});

/** Messages in log lines, and what is looked for in the log: `"msg":"one`, `"msg":"(one|other)`. */
const messages = everyBlock("(?:log|sh)").flatMap(([name, block]) =>
  all(block, /"msg":"(\([^)]*\)|[^"']*)/g).flatMap((found) =>
    found
      .replace(/^\((.*)\)$/, "$1")
      .split("|")
      .map((message): [string, string] => [name, message]),
  ),
);

test.each(messages)("%s: the service can write «%s»", (_name, message) => {
  // The longest part that is always the same; two of those who write put a word before it.
  const parts = message.replace(/^telemetry: /, "").split("…");
  const fixed = parts.sort((one, other) => other.length - one.length)[0]?.trim() ?? "";
  expect(fixed.length).toBeGreaterThan(3);
  expect(sources.includes(fixed) || sources.includes(fixed.replace(/^queue: /, "")), fixed).toBe(true);
});

/** What a log line holds beside its level and message, where the call that writes it is found. */
test.each(
  everyBlock("log").flatMap(([name, block]) =>
    block
      .trim()
      .split("\n")
      .map((line) => [name, line]),
  ),
)("%s: the line has the level and fields that the service writes: %s", (_name, line = "") => {
  const { msg, level, ...fields } = JSON.parse(line) as { msg: string; level: string };
  // Where the log is there only later, it is asked for: `log().info(…)`.
  const file = ownSources.find((source) => source.includes(`"${msg}"`))?.replaceAll("log().", "log.");
  if (file === undefined) return; // Put together from parts: telemetry's and pg-boss' own.
  const call = file.slice(0, file.indexOf(`"${msg}"`)).match(/log(?:\.\w+|\[level\])\([^(]*(?:\([^(]*)*$/)?.[0] ?? "";
  const said = call.slice(call.lastIndexOf("log"));
  if (!said.startsWith("log[level]")) expect(said.startsWith(`log.${level}(`), `${msg}: ${said}`).toBe(true);
  // An object that is made elsewhere, e.g. the report of a sweep, stands in the same file.
  const written = said.includes("{") ? said : file;
  for (const field of Object.keys(fields)) expect(written, msg).toMatch(new RegExp(`\\b${field}\\b`));
  for (const field of Object.keys((fields as { err?: object }).err ?? {}))
    expect(["type", "message", "stack", "code"], msg).toContain(field);
});

const settingNames = all(read(".env.example"), /^(?:# )?([A-Z][A-Z0-9_]+)=/gm);
const faultCodes = [
  ...errorCodes,
  ...datasetWarningReasons,
  ...[
    crashFault,
    timeoutFault(1),
    ...["Array buffer allocation failed", "ENOSPC: x", "PGlite is closed", "x"].map((text) =>
      classifyFault(new Error(text), 1),
    ),
  ].map(({ code }) => code),
  ...all(read("src/models/training-data-error.ts"), /^ {2}\| "(\w+)"/gm),
  ...all(read("src/http/metrics-endpoint.ts"), /"([A-Z_]{8,})"/g),
];
/** Names of others, each with whose it is. */
const foreignNames = [
  "ERR_WORKER_OUT_OF_MEMORY", // Node
  "ERR_FS_EISDIR", // Node
  "NODE_OPTIONS", // Node
  "API_KEY", // run.sh
  "ALERTS_FOR_STATE", // Prometheus
];

test.each([...texts])("%s names only settings and codes that exist", (_name, text) => {
  const known = new Set([...settingNames, ...faultCodes, ...foreignNames]);
  const families = /^(PROMETHEUS__|AUTH__|CORS__|OTEL_|GRAFANA_|DATASET_TTL_)$/;
  const used = all(text, /(?<![\w/])([A-Z][A-Z0-9]*(?:_+[A-Z0-9]+)+_*)(?!\w)/g);
  expect([...new Set(used)].filter((word) => !known.has(word) && !families.test(word))).toEqual([]);
});

test.each([...texts])("%s names only commands, calls and files that exist", (_name, text) => {
  const scripts = Object.keys(JSON.parse(read("package.json")).scripts);
  expect(
    all(text, /npm (?:run )?(?!ci|start|test\b|install)([\w:]+)/g).filter((one) => !scripts.includes(one)),
  ).toEqual([]);
  const commands = all(read("run.sh"), /^ {2}(\w+) {2,}\w/gm);
  expect(commands).toContain("smoke");
  expect(all(text, /run\.sh (\w+)/g).filter((one) => !commands.includes(one))).toEqual([]);
  const services = all(read("docker-compose.yml"), /^ {2}([a-z]+):(?: &\w+)?$/gm);
  const verbs = "logs|restart|ps|stop|start|exec|kill";
  const called = new RegExp(
    `docker compose (?:--?[\\w-]+(?: postgres)? )*(?:${verbs})((?: --?[\\w-]+(?: \\d+\\w)?)*) ([a-z]+)`,
    "g",
  );
  expect([...text.matchAll(called)].map((match) => match[2]).filter((one) => !services.includes(one ?? ""))).toEqual(
    [],
  );
  const routes = globSync("src/**/*.ts", { cwd: root }).flatMap((path) => all(read(path), /"(\/[a-z][\w/:-]*)"/g));
  const shapes = new Set(routes.map((route) => route.replaceAll(/:\w+/g, "*")));
  // A query names routes by templates and patterns.
  const asked = all(text.replaceAll(/^```promql\n[\s\S]*?^```$/gm, ""), /\/api\/ml\/v1(\/[\w/<>$"{}-]*)/g).map((path) =>
    path.replace(/"$/, "").replaceAll(/<\w+>|"?\$\{?\w+\}?"?/g, "*"),
  );
  expect(asked.filter((path) => !shapes.has(path))).toEqual([]);
  for (const path of all(text, /`((?:src|otel|infra|tests|docs)\/[\w./-]+)`/g))
    expect(existsSync(join(root, path)), path).toBe(true);
});
