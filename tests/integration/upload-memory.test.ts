import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Answer, eventually, type RunningService, startService, withService } from "../support/service.ts";

const small = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n";
const uploads = "mlops_backend_dataset_uploads_total";

/** A table of numbers with a target of two classes; `salt` tells one content from another. */
function wideCsv(columns: number, rows: number, salt = 0): string {
  const header = [...Array.from({ length: columns - 1 }, (_, column) => `c${column}`), "target"].join(",");
  const line = (row: number): string =>
    [...Array.from({ length: columns - 1 }, (_, column) => (row * 31 + column * 7 + salt) % 100), row % 2].join(",");
  const lines = Array.from({ length: 50 }, (_, row) => line(row));
  return `${[header, ...Array.from({ length: rows }, (_, row) => lines[row % 50])].join("\n")}\n`;
}

const profileOf = (
  service: RunningService,
  id: string,
  headers: Record<string, string> = {},
): Promise<Answer["json"]> =>
  eventually(
    async () => (await service.call("GET", `/datasets/${id}`, undefined, headers)).json.profile ?? undefined,
    300,
  );

test("beside a wide table and its profile small uploads of everybody get in, and the profile comes", () => {
  const hash = (key: string) => createHash("sha256").update(key).digest("hex");
  const as = (key: string) => ({ authorization: `Bearer ${key}` });
  const env = {
    API_KEYS: `anna:${hash("key-a")},ben:${hash("key-b")},cleo:${hash("key-c")}`,
    MAX_CONCURRENT_UPLOADS: "8",
  };
  return withService(env, async (service) => {
    const wide = await service.upload(wideCsv(2_000, 1_500), {}, "wide.csv", as("key-a"));
    expect([wide.status, wide.json.columns]).toEqual([201, 2_000]);
    // Its profile is being made by now: what is sent beside it is no worse off, whosever it is.
    const answers: Answer[] = [];
    const send = async (key: string, count: number): Promise<void> => {
      for (let n = 0; n < count; n += 1) answers.push(await service.upload(small, { name: `n${n}` }, "a.csv", as(key)));
    };
    const again = service.upload(wideCsv(2_000, 1_500, 1), { name: "again" }, "wide.csv", as("key-a"));
    await Promise.all([send("key-a", 10), send("key-b", 20), send("key-c", 10)]);
    expect(answers.filter(({ status }) => status !== 201).map(({ text }) => text)).toEqual([]);
    expect((await again).status).toBe(201);
    const profile = await profileOf(service, wide.json.id, as("key-a"));
    expect(profile).toHaveLength(2_000);
    expect(profile[7]).toMatchObject({ name: "c7", type: "number", nullRatio: 0, distinct: 50 });
    expect(profile[1_999]).toMatchObject({ name: "target", distinct: 2, min: 0, max: 1, mean: 0.5 });
    expect(await service.metric(uploads, { outcome: "failed" })).toBe(0);
    expect(service.lines.filter((line) => line.includes("Out of Memory"))).toEqual([]);
  });
}, 600_000);

test(
  "who breaks off while the file is checked frees the place: nothing is kept, and it counts as aborted",
  () =>
    withService({ MAX_CONCURRENT_UPLOADS: "1", MAX_CSV_UPLOAD_BYTES: "100000000" }, async (service) => {
      const content = Buffer.from(wideCsv(1_900, 12_000));
      const tmp = join(service.dataDir, "files", "tmp");
      const request = httpRequest(`${service.url}/api/ml/v1/datasets/upload`, {
        method: "POST",
        headers: { "content-type": "multipart/form-data; boundary=b" },
      });
      request.on("error", () => {});
      request.write('--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n');
      request.write(content);
      request.end("\r\n--b--\r\n");
      await eventually(async () => {
        const [name] = await readdir(tmp);
        return name !== undefined && (await stat(join(tmp, name))).size === content.length;
      });
      request.destroy();
      await eventually(async () => (await service.metric(uploads, { outcome: "aborted" })) === 1);
      await expect.poll(() => readdir(tmp)).toEqual([]);
      expect((await service.call("GET", "/datasets")).json.items).toEqual([]);
      expect((await service.upload(small)).status).toBe(201);
    }),
  300_000,
);

test("a stop in the middle of a profile ends in order, and the next start makes it", async () => {
  const first = await startService();
  const { status, json } = await first.upload(wideCsv(600, 100));
  expect(status).toBe(201);
  expect(await first.halt()).toBe(0);
  const second = await startService({ on: first });
  try {
    expect(await profileOf(second, json.id)).toHaveLength(600);
  } finally {
    await second.stop();
  }
}, 600_000);

test(
  "cells and targets of great length are checked within the memory that there is",
  () =>
    withService({ MAX_CSV_UPLOAD_BYTES: "150000000" }, async (service) => {
      const long = "x".repeat(1_000_000);
      const cells = `text,label\n${Array.from({ length: 60 }, (_, row) => `${long},${row % 2}`).join("\n")}\n`;
      expect((await service.upload(cells, { name: "cells" })).json).toMatchObject({ rows: 60, columns: 2 });
      const tail = "abcdefgh".repeat(20);
      const targets = `a,label\n${Array.from({ length: 600_000 }, (_, row) => `${row % 7},${row}${tail}`).join("\n")}\n`;
      const { json } = await service.upload(targets, { name: "targets" });
      expect(json).toMatchObject({ rows: 600_000, task: "classification" });
      const profile = await profileOf(service, json.id);
      expect(profile[0]).toMatchObject({ name: "a", distinct: 7 });
      expect(profile[1].distinct).toBeGreaterThan(300_000);
    }),
  600_000,
);
