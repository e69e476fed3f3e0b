import { expect, test } from "vitest";
import { createLog } from "../../src/log.ts";

/** What a log writes, line by line. */
function written(level: string, use: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  use(createLog(level, { destination: { write: (line) => void lines.push(line) } }));
  for (const line of lines) expect(line.indexOf("\n")).toBe(line.length - 1);
  return lines.map((line) => JSON.parse(line));
}

test.each([
  { authorization: "Bearer hush" },
  { headers: { authorization: "Bearer hush", cookie: "session=hush" } },
  { req: { headers: { authorization: "Bearer hush" }, body: { rows: ["hush"] } } },
  { config: { apiKeys: ["hush"], databaseUrl: "postgres://anna:hush@db/x", metrics: { token: "hush" } } },
  { apiKey: "hush", password: "hush", token: "hush", secret: "hush" },
  { config: { metricsBearerToken: "hush" }, headers: { "set-cookie": ["hush"], "X-Api-Key": "hush" } },
  { fileName: "hush.csv", file: { originalname: "hush.csv", fileName: "hush.csv" } },
  { upload: { file: { fileName: "hush.csv" } } },
  { steps: [{ Authorization: "hush" }, [{ token: "hush" }]], apiKeys: ["hush"] },
  { body: "hush", request: { body: "hush" }, query: { params: ["hush"], parameters: ["hush"] } },
])("what could hold a secret, a file's name or what was sent is cut out: %j", (fields) => {
  const [entry] = written("info", (log) => log.info({ ...fields, status: 200 }, "said"));
  expect(entry).toMatchObject({ level: "info", status: 200, msg: "said" });
  expect(JSON.stringify(entry)).not.toContain("hush");
  expect(JSON.stringify(entry)).toContain("[redacted]");
});

test("what a child carries into its lines is cut out too", () => {
  const [entry, inner] = written("info", (log) => {
    const child = log.child({ token: "hush", request: { body: "hush" }, status: 200 });
    child.info("said");
    child.child({ fileName: "hush.csv" }).info({ password: "hush" }, "said");
  });
  expect(entry).toMatchObject({ token: "[redacted]", request: { body: "[redacted]" }, status: 200 });
  expect(inner).toMatchObject({ fileName: "[redacted]", password: "[redacted]", status: 200 });
  expect(JSON.stringify([entry, inner])).not.toContain("hush");
});

test("a fault is type, message, stack and code, with those of its cause, and nothing that hangs on it", () => {
  const cause = Object.assign(new Error("the disk is full"), { params: ["hush"], code: "ENOSPC" });
  const fault = Object.assign(new TypeError("not stored", { cause }), {
    code: "53100",
    detail: "Key (name)=(hush) already exists.",
    query: "insert into datasets values ($1)",
    body: '{"rows":"hush"}',
    status: 500,
  });
  const [entry] = written("info", (log) => log.warn({ err: fault }, "failed"));
  expect(Object.keys(entry?.err as object)).toEqual(["type", "message", "stack", "code"]);
  expect(entry?.err).toMatchObject({ type: "TypeError", message: "not stored: the disk is full", code: "53100" });
  expect(JSON.stringify(entry)).not.toContain("hush");
});

test("a copy of an error, which pg-boss hands on, still says what it was", () => {
  const copy = { message: "connect ECONNREFUSED", stack: "at pg", code: "ECONNREFUSED", queue: "training" };
  const [entry] = written("info", (log) => log.warn({ err: copy }, "failed"));
  expect(entry?.err).toEqual({ type: "object", message: "connect ECONNREFUSED", stack: "at pg", code: "ECONNREFUSED" });
});

test("what was thrown without being an Error is text", () => {
  const [entry] = written("info", (log) => log.warn({ err: "gone" }, "failed"));
  expect(entry?.err).toEqual({ type: "string", message: "gone" });
});

test("a line leaves what was logged as it is, and ends where objects go round in circles", () => {
  const fields: Record<string, unknown> = { body: "hush", list: [1, { token: "hush" }] };
  fields.self = fields;
  const [entry] = written("info", (log) => log.info(fields, "said"));
  expect(entry).toMatchObject({ body: "[redacted]", list: [1, { token: "[redacted]" }] });
  expect(JSON.stringify(entry)).not.toContain("hush");
  expect(fields).toMatchObject({ body: "hush", list: [1, { token: "hush" }] });
});

test("LOG_LEVEL is the least that is written", () => {
  const all = (log: ReturnType<typeof createLog>): void => {
    for (const level of ["trace", "debug", "info", "warn", "error", "fatal"] as const) log[level](level);
  };
  expect(written("warn", all).map(({ level }) => level)).toEqual(["warn", "error", "fatal"]);
  expect(written("silent", all)).toEqual([]);
});
