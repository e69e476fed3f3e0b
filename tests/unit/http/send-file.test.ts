import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import express from "express";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endOfAnswer } from "../../../otel/api/request-end.ts";
import { problemHandler } from "../../../src/http/problem.ts";
import { readRange, sendFile } from "../../../src/http/send-file.ts";
import { createLog } from "../../../src/log.ts";
import { openLocalStorage } from "../../../src/storage/local-storage.ts";

/** A disk that fails in the middle of a file. */
const damaged = () =>
  Readable.from(
    (async function* () {
      yield content.subarray(0, 5);
      await setImmediate();
      throw new Error("EIO: i/o error, read");
    })(),
    { objectMode: false },
  );
const ends: unknown[] = [];
const lines: string[] = [];

const content = Buffer.from("0123456789abcdefghij");
const etag = `"${"a".repeat(64)}"`;

/** The bytes that are sent for a range; undefined for 416. */
function cut(header: string | undefined, sizeBytes: number): Buffer | undefined {
  const bytes = Buffer.from(Array.from({ length: sizeBytes }, (_, place) => place));
  try {
    const range = readRange(header, sizeBytes);
    if (range === undefined) return bytes;
    expect(range.start).toBeLessThanOrEqual(range.end);
    expect(range.end).toBeLessThan(sizeBytes);
    return bytes.subarray(range.start, range.end + 1);
  } catch (error) {
    expect(error).toMatchObject({ name: "DomainError", code: "RANGE_NOT_SATISFIABLE" });
    return undefined;
  }
}

const size = fc.nat({ max: 40 });
const place = fc.oneof(fc.nat({ max: 50 }), fc.maxSafeNat());

describe("a range", () => {
  test("from a place on is the rest, up to another one inclusive, and nothing when it begins behind the end", () => {
    fc.assert(
      fc.property(size, place, fc.option(place), (sizeBytes, from, length) => {
        const to = length === null ? undefined : from + length;
        const all = Buffer.from(Array.from({ length: sizeBytes }, (_, index) => index));
        const expected = all.subarray(from, to === undefined ? undefined : to + 1);
        expect(cut(`bytes=${from}-${to ?? ""}`, sizeBytes)).toEqual(expected.length === 0 ? undefined : expected);
      }),
    );
  });

  test("of the last bytes is never more than there are, and none of 0", () => {
    fc.assert(
      fc.property(size, place, (sizeBytes, last) => {
        const all = Buffer.from(Array.from({ length: sizeBytes }, (_, index) => index));
        const expected = last === 0 ? Buffer.alloc(0) : all.subarray(-last);
        expect(cut(`bytes=-${last}`, sizeBytes)).toEqual(expected.length === 0 ? undefined : expected);
      }),
    );
  });

  test("that is several, of another unit, or no range at all is the whole file", () => {
    const odd = fc.oneof(
      fc.constantFrom(
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=0-1,3-4",
        "bytes=a-b",
        "bytes=1.5-2",
        "bytes=0--1",
        "bytes=5-2",
      ),
      fc.constantFrom("items=0-1", "bytes 0-1", "bytes=0-1;x", "bytes=+1-2", "bytes=0x1-2", "bytes=\u0661-\u0662"),
      fc.string().filter((text) => !/^bytes=\d*-\d*$/i.test(text)),
    );
    fc.assert(
      fc.property(size, fc.option(odd, { nil: undefined }), (sizeBytes, header) => {
        expect(cut(header, sizeBytes)).toHaveLength(sizeBytes);
      }),
    );
  });
});

describe("a file", () => {
  let url: string;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "send-file-"));
    const storage = await openLocalStorage(folder);
    for (const name of ["there", "damaged"]) await writeFile(join(folder, "dataset", name), content);
    const app = express();
    app.all("/:name", (request, response) => {
      response.once("close", () => {
        const end = endOfAnswer(request, response, server);
        if (end !== undefined) ends.push(end);
      });
      return sendFile(request, response, {
        storage: { ...storage, open: async (...of) => (of[1] === "damaged" ? damaged() : storage.open(...of)) },
        kind: "dataset",
        id: request.params.name,
        sha256: "a".repeat(64),
        contentType: "text/csv; charset=utf-8",
        fileName: "data.csv",
      });
    });
    app.use(problemHandler(createLog("info", { destination: { write: (line) => void lines.push(line) } })));
    const server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    stop = async () => {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true, force: true });
    };
  });
  afterAll(() => stop?.());

  async function get(
    headers: Record<string, string>,
    { method = "GET", name = "there" } = {},
  ): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
    const request = httpRequest(`${url}/${name}`, { method, headers }).end();
    const [response] = await once(request, "response");
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
  }

  test("is sent whole, with its ETag and length", async () => {
    const answer = await get({});
    expect([answer.status, answer.body]).toEqual([200, content.toString()]);
    expect(answer.headers).toMatchObject({
      etag,
      "content-length": "20",
      "accept-ranges": "bytes",
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": "attachment; filename=data.csv",
    });
  });

  test.each([
    ["bytes=0-0", "0", "bytes 0-0/20"],
    ["bytes=18-", "ij", "bytes 18-19/20"],
    ["bytes=-3", "hij", "bytes 17-19/20"],
    ["bytes=5-999", "56789abcdefghij", "bytes 5-19/20"],
  ])("in part: %s", async (range, body, contentRange) => {
    const answer = await get({ range });
    expect([answer.status, answer.body, answer.headers["content-range"]]).toEqual([206, body, contentRange]);
    expect(answer.headers["content-length"]).toBe(String(body.length));
  });

  test("in a part that it has not is 416 and tells its size", async () => {
    const answer = await get({ range: "bytes=20-" });
    expect([answer.status, answer.headers["content-range"]]).toEqual([416, "bytes */20"]);
    expect(JSON.parse(answer.body)).toMatchObject({ code: "RANGE_NOT_SATISFIABLE", status: 416 });
  });

  test("is sent whole when the part that is known is of another content", async () => {
    expect((await get({ range: "bytes=0-1", "if-range": etag })).status).toBe(206);
    for (const other of ['"b"', `W/${etag}`, "Wed, 21 Oct 2015 07:28:00 GMT"])
      expect(await get({ range: "bytes=0-1", "if-range": other })).toMatchObject({
        status: 200,
        body: content.toString(),
      });
  });

  test("is not sent again to whom has it", async () => {
    for (const known of [etag, `W/${etag}`, `"b", ${etag}`, "*"])
      expect(await get({ "if-none-match": known })).toMatchObject({ status: 304, body: "" });
    for (const other of ['"b"', "a".repeat(64)]) expect((await get({ "if-none-match": other })).status).toBe(200);
  });

  test("tells a HEAD of the whole, whatever range it names: ranges are GET's (RFC 9110, 14.2)", async () => {
    for (const range of ["bytes=0-1", "bytes=99-"]) {
      const answer = await get({ range }, { method: "HEAD" });
      expect(answer).toMatchObject({ status: 200, body: "" });
      expect(answer.headers["content-length"]).toBe("20");
    }
  });

  test("that can't be read to its end is broken off, told, and counted as ours", async () => {
    await expect(get({}, { name: "damaged" })).rejects.toThrow("aborted");
    expect(ends).toEqual([{ statusCode: 0, fault: "other" }]);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: "error", code: "INTERNAL_ERROR", err: { message: "EIO: i/o error, read" }, msg: "request failed" },
    ]);
  });

  test("that is gone is our fault, and its path stays ours", async () => {
    const answer = await get({}, { name: "gone" });
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([500, "FILE_MISSING_IN_STORAGE"]);
    expect(answer.body).not.toContain("send-file-");
  });
});
