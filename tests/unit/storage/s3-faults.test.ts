import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { readConfig } from "../../../src/settings/config.ts";
import { openS3Storage } from "../../../src/storage/s3-storage.ts";

const secret = "c0ffee-secret";
/** What the stand-in for S3 answers to everything: faults that a real server is hard to be brought to. */
let answer: { status: number; code: string; more?: string; body?: string } = { status: 500, code: "InternalError" };
let requests = 0;
let isSilent = false;
let endpoint: string;
let folder: string;
const server = createServer((request, response) => {
  requests += 1;
  request.resume();
  if (isSilent) return;
  response.writeHead(answer.status, { "content-type": "application/xml", date: new Date().toUTCString() });
  response.end(
    answer.body ??
      `<?xml version="1.0"?><Error><Code>${answer.code}</Code><Message>StringToSign ${secret}</Message>${answer.more ?? ""}</Error>`,
  );
});
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "s3-faults-"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true, force: true });
});

async function faultOf(env: Record<string, string> = {}): Promise<Error> {
  const config = readConfig({
    STORAGE_BACKEND: "s3",
    S3__BUCKET: "files",
    S3__ENDPOINT: endpoint,
    S3__FORCE_PATH_STYLE: "true",
    S3__ACCESS_KEY_ID: "key",
    S3__SECRET_ACCESS_KEY: secret,
    S3__MAX_ATTEMPTS: "2",
    ...env,
  });
  const thrown = await openS3Storage(config, folder).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toMatchObject({ name: "StorageFault" });
  const error = thrown as Error;
  expect(JSON.stringify(error) + String(error.stack)).not.toContain(secret);
  expect(error.message).not.toContain("\n");
  return error;
}

test.each([
  [403, "AccessDenied", /^S3__BUCKET: the credentials may not do PutObject in bucket "files"/],
  [404, "NoSuchBucket", /^S3__BUCKET: there is no bucket "files" at 127\.0\.0\.1:\d+$/],
  [301, "PermanentRedirect", /^S3__REGION: bucket "files" is not in region "us-east-1"/],
  [400, "AuthorizationHeaderMalformed", /^S3__REGION: /],
  [403, "InvalidAccessKeyId", /^S3__ACCESS_KEY_ID: 127\.0\.0\.1:\d+ does not know this key$/],
  [403, "SignatureDoesNotMatch", /^S3__SECRET_ACCESS_KEY: /],
  [400, "ExpiredToken", /^S3__ACCESS_KEY_ID: the credentials are expired/],
  [403, "RequestTimeTooSkewed", /^The clock of this machine .* \(S3__ENDPOINT\)/],
  [400, "KMS.NotFoundException", /^S3__KMS_KEY_ID: /],
  [503, "SlowDown", /^S3__ENDPOINT: 127\.0\.0\.1:\d+ answered PutObject with SlowDown \(503\)$/],
  [418, `${secret} <b>`, /^S3__ENDPOINT: 127\.0\.0\.1:\d+ answered PutObject with \w+ \(418\)$/],
])("%i %s is one line that names the setting, and holds no secret", async (status, code, line) => {
  answer = { status, code };
  expect((await faultOf()).message).toMatch(line);
});

test("what may heal is tried again, what can't is not", async () => {
  for (const [status, code, tries] of [
    [503, "SlowDown", 3],
    [500, "InternalError", 3],
    [403, "AccessDenied", 1],
    [404, "NoSuchBucket", 1],
  ] as const) {
    answer = { status, code };
    requests = 0;
    await faultOf({ S3__MAX_ATTEMPTS: "3" });
    expect([code, requests]).toEqual([code, tries]);
  }
});

test("a page of a proxy instead of an answer is told as such", async () => {
  answer = { status: 502, code: "", body: "<html><h1>Bad gateway</h1></html>" };
  expect((await faultOf()).message).toMatch(/^S3__ENDPOINT: 127\.0\.0\.1:\d+ answered PutObject with .* \(502\)$/);
});

test("one that says nothing is given up, by S3__TIMEOUT_SECONDS a try and by S3__TIME_BUDGET_SECONDS in all", async () => {
  isSilent = true;
  // The other of the two is longer than a test may take.
  const line = /^S3__ENDPOINT: 127\.0\.0\.1:\d+ did not answer within S3__TIMEOUT_SECONDS or S3__TIME_BUDGET_SECONDS$/;
  expect((await faultOf({ S3__TIMEOUT_SECONDS: "0.2", S3__TIME_BUDGET_SECONDS: "3600" })).message).toMatch(line);
  expect((await faultOf({ S3__TIMEOUT_SECONDS: "600", S3__TIME_BUDGET_SECONDS: "0.3" })).message).toMatch(line);
  isSilent = false;
});

test("no keys, and none in the usual chain either, is said as such", async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  vi.stubEnv("HOME", folder);
  try {
    const { message } = await faultOf({ S3__ACCESS_KEY_ID: "", S3__SECRET_ACCESS_KEY: "" });
    expect(message).toMatch(/^S3__ACCESS_KEY_ID is empty, and AWS' usual chain/);
  } finally {
    vi.unstubAllEnvs();
  }
});
