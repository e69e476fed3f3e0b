import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seattleWeatherCsv } from "../support/real-data.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";

const goodCsv = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n";

let service: RunningService;
beforeAll(async () => {
  service = await startService({ env: { MAX_CSV_UPLOAD_BYTES: "100000", MAX_QUEUED_RUNS_PER_OWNER: "3" } });
});
afterAll(() => service?.stop());

const leftOver = () => readdir(join(service.dataDir, "files", "tmp"));

describe("upload", () => {
  test("a real CSV is kept whole, described, and profiled in the background", async () => {
    const weather = seattleWeatherCsv();
    const answer = await service.upload(weather, { target: "weather" }, "seattle-weather.csv");
    expect(answer.status).toBe(201);
    const sha256 = createHash("sha256").update(weather).digest("hex");
    expect(answer.json).toMatchObject({
      name: "seattle-weather",
      target: "weather",
      task: "classification",
      rows: 1461,
      columns: 6,
      sizeBytes: weather.length,
      sha256,
      expiresAt: null,
    });
    expect(answer.headers.get("etag")).toBe(`"${sha256}"`);
    // As seen from the address that was asked: /api/ml/v1/datasets/upload.
    expect(answer.headers.get("location")).toBe(answer.json.id);
    const described = await eventually(async () => {
      const one = await service.call("GET", `/datasets/${answer.json.id}`);
      return one.json.profile === null ? undefined : one;
    });
    expect(described.json.profile).toHaveLength(6);
    expect(described.json.profile[1]).toMatchObject({
      name: "precipitation",
      type: "number",
      min: 0,
      max: 55.9,
      nullRatio: 0,
    });
    expect(described.json.profile[5].topValues[0]).toEqual({ value: "rain", count: 641 });
    // As all answers are written, and not as the database writes what it keeps.
    expect(described.text).toBe(JSON.stringify(described.json));
    expect(described.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(Object.keys(described.json).slice(-3)).toEqual(["typedBytes", "profile", "profileFault"]);
    const content = await service.call("GET", `/datasets/${answer.json.id}/content`);
    expect(content.text).toBe(weather.toString());
    expect(content.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  });

  test("fields may come after the file, gzip is expanded, and the same again is the same dataset", async () => {
    const csv = `${goodCsv}7,8,y\n`;
    const first = await service.upload(gzipSync(csv), { name: "twice", target: "b" }, "data.csv.gz");
    expect(first.status).toBe(201);
    expect(first.json).toMatchObject({ name: "twice", target: "b", sizeBytes: csv.length });
    const second = await service.upload(csv, { name: "twice", target: "b" });
    expect(second.status).toBe(200);
    expect(second.json.id).toBe(first.json.id);
    const other = await service.upload(csv, { name: "twice", target: "a" });
    expect(other.status).toBe(409);
    expect(other.json.code).toBe("DATASET_EXISTS");
  });

  test.each([
    ["no header", "\n1,2\n", "HEADER_MISSING", 400],
    ["nothing at all", "", "HEADER_MISSING", 400],
    ["only numbers in the header", "1,2\n3,4\n5,6\n", "HEADER_MISSING", 400],
    ["duplicate column names", "a,a\n1,2\n3,4\n", "COLUMN_NAMES_INVALID", 400],
    ["an empty column name", "a,,c\n1,2,3\n3,4,5\n", "COLUMN_NAMES_INVALID", 400],
    ["one column", "a\n1\n2\n", "TOO_FEW_COLUMNS", 400],
    ["too few rows", "a,b\n1,2\n", "TOO_FEW_ROWS", 400],
    ["too many empty cells", "a,b,c\n,,1\n,,2\n,,3\n", "TOO_MANY_EMPTY_CELLS", 400],
    ["a ragged row", "a,b\n1,2\n3\n5,6\n", "ROW_RAGGED", 400],
    ["a row that is too long", "a,b\n1,2\n3,4,5\n5,6\n", "ROW_RAGGED", 400],
    ["a target with one class", "a,label\n1,x\n2,x\n", "TARGET_SINGLE_CLASS", 400],
    ["NUL bytes", "a,b\n1,\u00002\n3,4\n", "NUL_BYTES", 400],
    [
      "UTF-8 with a byte that is no letter",
      Buffer.concat([Buffer.from(`a,b\n${"\u00f6\u00e9,1\n".repeat(9)}`), Buffer.from([0xff])]),
      "WRONG_ENCODING",
      400,
    ],
    ["a cut UTF-8 sequence at the end", Buffer.from([...Buffer.from("a,b\n1,2\n3,"), 0xc3]), "WRONG_ENCODING", 400],
    ["more than the limit", `a,b\n${"1,2\n".repeat(30_000)}`, "DATASET_TOO_LARGE", 413],
  ])("%s", async (_what, content, code, status) => {
    const before = await service.metric("mlops_backend_dataset_upload_rejections_total", { reason: code });
    const answer = await service.upload(content);
    expect(answer.json).toMatchObject({ code, status });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(answer.text).not.toMatch(/node_modules|\.ts:|files\/tmp/);
    await expect.poll(() => leftOver()).toEqual([]);
    expect(await service.metric("mlops_backend_dataset_upload_rejections_total", { reason: code })).toBe(before + 1);
  });

  test("a ragged row is named by its line", async () => {
    expect((await service.upload("a,b\n1,2\n3,4\n5,6,7\n")).json.detail).toContain("Line 4");
  });

  test.each([
    ["unknown target", { target: "nope" }, "data.csv", "TARGET_UNKNOWN", 400],
    ["unknown form field", { colour: "red" }, "data.csv", "UNEXPECTED_FIELD", 400],
    ["a name that is too long", { name: "x".repeat(300) }, "data.csv", "FIELD_INVALID", 400],
    ["gzip that is none", {}, "data.csv.gz", "GZIP_INVALID", 400],
  ])("%s", async (_what, fields, fileName, code, status) => {
    const answer = await service.upload(goodCsv, fields as Record<string, string>, fileName);
    expect(answer.json).toMatchObject({ code, status });
    await expect.poll(() => leftOver()).toEqual([]);
  });

  test("a gzip that expands past the limit", async () => {
    const answer = await service.upload(gzipSync(`a,b\n${"1,2\n".repeat(200_000)}`), {}, "bomb.csv.gz");
    expect(answer.json).toMatchObject({ code: "DATASET_TOO_LARGE", status: 413 });
    await expect.poll(() => leftOver()).toEqual([]);
  });

  test("a long cell with an emoji at the cut has a profile, too", async () => {
    const rows = Array.from({ length: 4 }, (_, n) => `${"q".repeat(99)}😀${n},${n},x${n % 2}`).join("\n");
    const { json } = await service.upload(`text,n,label\n${rows}\n`, { name: "emoji" });
    const profiled = await eventually(async () => {
      const answer = await service.call("GET", `/datasets/${json.id}`);
      return answer.json.profile === null ? undefined : answer;
    });
    expect(profiled.json.profile).toHaveLength(3);
  });

  test("a body that says it is too long is refused before it is read", async () => {
    // Again and again: an answer that comes while the client still writes must reach it each time.
    for (let index = 0; index < 20; index += 1) {
      const answer = await service.upload("x".repeat(4_000_000));
      expect(answer.json).toMatchObject({ code: "DATASET_TOO_LARGE", status: 413 });
    }
  });

  test("not multipart, no file, a wrong field, two files", async () => {
    expect((await service.call("POST", "/datasets/upload", { a: 1 })).json.code).toBe("NOT_MULTIPART");
    const empty = new FormData();
    empty.append("name", "x");
    expect((await service.call("POST", "/datasets/upload", empty)).json.code).toBe("FILE_MISSING");
    const wrong = new FormData();
    wrong.append("data", new Blob([goodCsv]), "a.csv");
    expect((await service.call("POST", "/datasets/upload", wrong)).json.code).toBe("UNEXPECTED_FIELD");
    const two = new FormData();
    two.append("file", new Blob([goodCsv]), "a.csv");
    two.append("file", new Blob([goodCsv]), "b.csv");
    expect((await service.call("POST", "/datasets/upload", two)).json.code).toBe("TOO_MANY_FILES");
    const broken = await service.call("POST", "/datasets/upload", "--x\r\nnonsense", {
      "content-type": "multipart/form-data; boundary=x",
    });
    expect(broken.json.code).toBe("NOT_MULTIPART");
    await expect.poll(() => leftOver()).toEqual([]);
  });

  test("an upload that the client breaks off leaves no file and no row", async () => {
    const count = (await service.call("GET", "/datasets?limit=100")).json.items.length;
    const before = await service.metric("mlops_backend_dataset_uploads_total", { outcome: "aborted" });
    const request = httpRequest(`${service.url}/api/ml/v1/datasets/upload`, {
      method: "POST",
      headers: { "content-type": "multipart/form-data; boundary=b", "content-length": 50_000 },
    });
    request.on("error", () => {});
    request.write('--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\na,b\n1,2\n');
    await eventually(async () => (await leftOver()).length === 1);
    request.destroy();
    await eventually(
      async () => (await service.metric("mlops_backend_dataset_uploads_total", { outcome: "aborted" })) === before + 1,
    );
    await expect.poll(() => leftOver()).toEqual([]);
    expect((await service.call("GET", "/datasets?limit=100")).json.items).toHaveLength(count);
  });
});

describe("reading and removing", () => {
  test("lists go page by page, newest first", async () => {
    const ids: string[] = [];
    for (const name of ["p1", "p2", "p3"]) ids.push((await service.upload(goodCsv, { name })).json.id);
    const first = await service.call("GET", "/datasets?limit=2");
    expect(first.json.items.map((item: { id: string }) => item.id)).toEqual([ids[2], ids[1]]);
    const second = await service.call("GET", `/datasets?limit=1&cursor=${first.json.nextCursor}`);
    expect(second.json.items[0].id).toBe(ids[0]);
  });

  test("bad limits, cursors and ids have their own codes", async () => {
    expect((await service.call("GET", "/datasets?limit=0")).json.code).toBe("VALIDATION_FAILED");
    expect((await service.call("GET", "/datasets?limit=101")).json.errors[0].path).toBe("limit");
    const { id } = (await service.upload(goodCsv, { name: "numbers" })).json;
    for (const path of ["/datasets?limit=", `/datasets/${id}/rows?offset=`, "/metrics/trends?days="]) {
      for (const sent of ["", "%205", "1e1", "0x5", "5.0", "five", "5&limit=5&offset=5&days=5"]) {
        const answer = await service.call("GET", path + sent);
        expect([path, sent, answer.status, answer.json.code]).toEqual([path, sent, 400, "VALIDATION_FAILED"]);
      }
      expect((await service.call("GET", `${path}5`)).status).toBe(200);
    }
    expect((await service.call("GET", "/datasets?cursor=abc")).json.code).toBe("CURSOR_INVALID");
    expect((await service.call("GET", "/datasets/nope")).json.code).toBe("ID_INVALID");
    const unknown = "01a20a3e-3be8-733e-aec6-a42d3a37a41c";
    for (const [method, path] of [
      ["GET", ""],
      ["GET", "/content"],
      ["DELETE", ""],
    ] as const) {
      expect((await service.call(method, `/datasets/${unknown}${path}`)).json).toMatchObject({
        code: "DATASET_NOT_FOUND",
        status: 404,
      });
    }
    expect((await service.call("PUT", `/datasets/${unknown}`)).status).toBe(405);
    expect((await service.call("GET", "/nothing/here")).json.code).toBe("NOT_FOUND");
  });

  test("ranges, conditional requests and HEAD", async () => {
    const { json, headers } = await service.upload(goodCsv, { name: "ranges" });
    const path = `/datasets/${json.id}/content`;
    const part = await service.call("GET", path, undefined, { range: "bytes=2-4" });
    expect([part.status, part.text, part.headers.get("content-range")]).toEqual([
      206,
      goodCsv.slice(2, 5),
      `bytes 2-4/${goodCsv.length}`,
    ]);
    expect((await service.call("GET", path, undefined, { range: "bytes=-3" })).text).toBe(goodCsv.slice(-3));
    const beyond = await service.call("GET", path, undefined, { range: "bytes=999-" });
    expect([beyond.status, beyond.json.code]).toEqual([416, "RANGE_NOT_SATISFIABLE"]);
    expect((await service.call("GET", path, undefined, { "if-none-match": headers.get("etag") ?? "" })).status).toBe(
      304,
    );
    const head = await service.call("HEAD", path);
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(goodCsv.length)]);
  });

  test("a removed dataset is gone with its file", async () => {
    const { json } = await service.upload(goodCsv, { name: "to go" });
    expect((await service.call("DELETE", `/datasets/${json.id}`)).status).toBe(204);
    expect((await service.call("GET", `/datasets/${json.id}`)).status).toBe(404);
    expect(await readdir(join(service.dataDir, "files", "dataset"))).not.toContain(json.id);
  });

  test("with TTL off a cycle removes nothing", async () => {
    expect((await service.call("DELETE", "/datasets/expired")).json).toEqual({
      cutoff: null,
      limit: 500,
      deleted: 0,
      filesRemoved: 0,
      filesMissing: 0,
      errors: 0,
    });
  });
});
