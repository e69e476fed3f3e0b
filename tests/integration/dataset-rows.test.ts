import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loseTable } from "../support/lose-table.ts";
import { type RunningService, startService } from "../support/service.ts";

const hash = (key: string) => createHash("sha256").update(key).digest("hex");

let service: RunningService;
beforeAll(async () => {
  service = await startService({ env: { API_KEYS: `ann:${hash("key-a")},ben:${hash("key-b")}` } });
});
afterAll(() => service?.stop());

const ann = { authorization: "Bearer key-a" };
const ben = { authorization: "Bearer key-b" };

async function upload(content: string, name: string): Promise<string> {
  const answer = await service.upload(content, { name }, "data.csv", ann);
  expect(answer.status, answer.text).toBe(201);
  return answer.json.id;
}
const rowsOf = (id: string, query = "", headers: Record<string, string> = {}) =>
  service.call("GET", `/datasets/${id}/rows${query}`, undefined, { ...ann, ...headers });

describe("rows of a dataset", () => {
  test("are typed as they are understood, in whatever way the file is written", async () => {
    const content = ';preis;__proto__;label\n1;1,50;NA;x\n2;NA;"a;""b";y\n3;-;;x\n4;nan; c ;y\n';
    const { json } = await rowsOf(await upload(content, "typed"));
    expect(json).toEqual({
      columns: [
        { name: "preis", type: "number" },
        { name: "__proto__", type: "text" },
        { name: "label", type: "text" },
      ],
      rows: [
        [1.5, null, "x"],
        [null, 'a;"b', "y"],
        [null, null, "x"],
        [null, " c ", "y"],
      ],
      firstRow: 1,
      offset: 0,
      nextOffset: null,
      total: 4,
      cut: [],
    });
  });

  test("begin with the first below the header, whatever stands before and in that", async () => {
    for (const [name, content] of [
      ["mark", '\uFEFF"a\nname",label\r\n1,x\r\n2,y\r\n'],
      ["hint", "sep=;\na;label\n\n1;x\n\n2;y\n"],
    ] as const)
      expect((await rowsOf(await upload(content, name))).json.rows).toEqual([
        [1, "x"],
        [2, "y"],
      ]);
  });

  test("come in the file's order, twenty at first, and each once by following nextOffset", async () => {
    const count = 5_000;
    const content = `n,word,label\n${Array.from({ length: count }, (_, row) => `${row},w${row},${row % 2}\n`).join("")}`;
    const id = await upload(content, "order");
    const first = await rowsOf(id);
    expect(first.json.rows).toHaveLength(20);
    expect(first.json).toMatchObject({ firstRow: 1, nextOffset: 20, total: count });
    const seen: number[] = [];
    for (let offset: number | null = 4_790; offset !== null; ) {
      const { json } = await rowsOf(id, `?limit=100&offset=${offset}`);
      expect(json.firstRow).toBe(offset + 1);
      seen.push(...json.rows.map(([n]: number[]) => n));
      offset = json.nextOffset;
    }
    expect(seen).toEqual(Array.from({ length: 210 }, (_, row) => 4_790 + row));
    expect((await rowsOf(id, `?offset=${count}`)).json).toMatchObject({ rows: [], nextOffset: null, total: count });
    expect((await rowsOf(id, "?offset=1000000000000")).json).toMatchObject({ rows: [], nextOffset: null });
  });

  test("of 2,000 columns are fewer, bounded in bytes, and none is lost", async () => {
    const columns = 2_000;
    const cell = (row: number, column: number) =>
      column % 2 === 0 ? `${row * column}.5` : `word ${"é".repeat(60)}${row}`;
    const lines = Array.from({ length: 12 }, (_, row) =>
      Array.from({ length: columns }, (_, column) => cell(row, column)),
    );
    const names = Array.from({ length: columns }, (_, column) => `c${column}`);
    const id = await upload(`${[names, ...lines].map((cells) => cells.join(",")).join("\n")}\n`, "wide");
    const rows: unknown[][] = [];
    for (let offset: number | null = 0; offset !== null; ) {
      const { json, text } = await rowsOf(id, `?limit=100&offset=${offset}`);
      expect(Buffer.byteLength(text)).toBeLessThan(256 * 1024 + Buffer.byteLength(JSON.stringify(json.columns)) + 200);
      expect(json.rows.length).toBeGreaterThan(0);
      expect(json.cut).toHaveLength(json.rows.length * 1_000);
      rows.push(...json.rows);
      offset = json.nextOffset;
    }
    expect(rows).toHaveLength(12);
    for (const [row, cells] of rows.entries()) {
      expect(cells).toHaveLength(columns);
      expect([cells[2], cells[1_998]]).toEqual([row * 2 + 0.5, row * 1_998 + 0.5]);
      expect(cells[1_999]).toMatch(/^word é{20,}$/);
    }
  });

  test("a long cell is cut, and told", async () => {
    const id = await upload(`a,b,label\n1,${"é".repeat(1_001)},x\n2,${"é".repeat(1_000)},y\n`, "long");
    const { json } = await rowsOf(id);
    expect(json.rows.map(([, text]: string[]) => text)).toEqual(["é".repeat(1_000), "é".repeat(1_000)]);
    expect(json.cut).toEqual([{ row: 1, column: 2 }]);
  });

  test("that are known are not read again, whichever page it is", async () => {
    const id = await upload("a,b\n1,2\n3,4\n", "known");
    const etag = (await rowsOf(id)).headers.get("etag") ?? "";
    expect((await rowsOf(id, "", { "if-none-match": etag })).status).toBe(304);
    expect((await rowsOf(id, "?limit=20&offset=0", { "if-none-match": etag })).status).toBe(304);
    expect((await rowsOf(id, "?offset=1", { "if-none-match": etag })).status).toBe(200);
    expect((await rowsOf(id, "?limit=1", { "if-none-match": etag })).status).toBe(200);
  });

  test("are the owner's alone, and what can't be asked for is said", async () => {
    const id = await upload("a,b\n1,2\n3,4\n5,7\n", "own");
    const others = await service.call("GET", `/datasets/${id}/rows`, undefined, ben);
    expect(others.json).toMatchObject({ status: 404, code: "DATASET_NOT_FOUND" });
    for (const [query, path] of [
      ["limit=0", "limit"],
      ["limit=101", "limit"],
      ["limit=x", "limit"],
      ["offset=-1", "offset"],
      ["offset=1.5", "offset"],
    ] as const)
      expect((await rowsOf(id, `?${query}`)).json).toMatchObject({ code: "VALIDATION_FAILED", errors: [{ path }] });
    expect((await rowsOf("nope")).json.code).toBe("ID_INVALID");
    await loseTable(service, id);
    expect((await rowsOf(id)).json).toMatchObject({ status: 500, code: "FILE_MISSING_IN_STORAGE" });
  });
});
