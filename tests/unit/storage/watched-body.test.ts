import { once } from "node:events";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { watchedBody } from "../../../src/storage/watched-body.ts";

const named = (error: unknown): Error => new Error(`named: ${(error as Error).message}`);
/** Where it is not the silence that is looked at. */
const patientMs = 600_000;
const large = Buffer.alloc(1024 * 1024, "a");

test("passes on what comes", async () => {
  const source = new PassThrough();
  source.end(large);
  expect((await buffer(watchedBody(source, patientMs, named))).equals(large)).toBe(true);
});

test("ends with a named fault when its source fails, before or in the middle", async () => {
  const source = new PassThrough();
  const watched = watchedBody(source, patientMs, named);
  source.write("a");
  setTimeout(() => source.destroy(new Error("aborted")), 20);
  await expect(buffer(watched)).rejects.toThrow("named: aborted");
});

test("ends when nothing comes any more, and lets the source go", async () => {
  const source = new PassThrough();
  source.write("a");
  await expect(buffer(watchedBody(source, 40, named))).rejects.toThrow("named: Nothing came for 40 ms.");
  expect(source.destroyed).toBe(true);
});

test("waits for a reader that pauses: it is not the source that is silent", async () => {
  const source = new PassThrough();
  source.end(large);
  // Long enough for a machine that stands still in between: that is not what is meant.
  const watched = watchedBody(source, 500, named);
  await delay(1_500);
  expect((await buffer(watched)).length).toBe(large.length);
});

test("a reader that goes away lets the source go", async () => {
  const source = new PassThrough();
  source.write("a");
  watchedBody(source, patientMs, named).destroy();
  await once(source, "close");
  expect(source.destroyed).toBe(true);
});
