import { expect, test } from "vitest";
import { dueMs, followScrapes } from "../../../src/monitoring/last-scrape.ts";

test.each([
  [{ lastMs: 1_000, pauseMs: undefined }, Number.POSITIVE_INFINITY],
  [{ lastMs: 1_000, pauseMs: 15_000 }, 20_750],
])("the scrape after %j is there for sure by %d", (scraper, due) => expect(dueMs(scraper)).toBe(due));

/** Scrapes with a clock of their own, far from its end: only scrapes can end a wait. */
function withClock(): { scrapes: ReturnType<typeof followScrapes>; at(ms: number): void } {
  let nowMs = 0;
  return { scrapes: followScrapes(() => nowMs), at: (ms) => (nowMs = ms) };
}
const muchLaterMs = 1e9;

test("nobody is waited for where nobody scrapes, nor who has stayed away for longer than its pause", async () => {
  const { scrapes, at } = withClock();
  expect(await scrapes.untilReadAgain(muchLaterMs)).toBe(0);
  scrapes.answered("gone", 0);
  scrapes.answered("gone", 15_000);
  at(40_000);
  expect(scrapes.expected(40_000)).toEqual({ scrapers: 0, dueMs: 40_000 });
  expect(await scrapes.untilReadAgain(muchLaterMs)).toBe(0);
});

test("each of those who scrape is waited for until it has come once more", async () => {
  const { scrapes, at } = withClock();
  for (const scraper of ["a", "b"]) for (const ms of [0, 15_000, 30_000]) scrapes.answered(scraper, ms);
  at(35_000);
  let missed: number | undefined;
  const waiting = scrapes.untilReadAgain(muchLaterMs).then((count) => (missed = count));
  // One that began before what it should show had happened does not count.
  scrapes.answered("a", 34_000);
  at(45_000);
  scrapes.answered("a", 45_000);
  await new Promise(setImmediate);
  expect(missed).toBeUndefined();
  scrapes.answered("b", 45_001);
  await waiting;
  expect(missed).toBe(0);
});

test("who came once is waited for up to the deadline, and who does not come is told", async () => {
  const { scrapes, at } = withClock();
  scrapes.answered("new", 0);
  at(10);
  expect(scrapes.expected(10)).toEqual({ scrapers: 1, dueMs: Number.POSITIVE_INFINITY });
  expect(await scrapes.untilReadAgain(9)).toBe(1);
  const waiting = scrapes.untilReadAgain(muchLaterMs);
  at(20);
  scrapes.answered("new", 20);
  expect(await waiting).toBe(0);
});

test("made-up names are forgotten, the one that has been away longest first", () => {
  const { scrapes, at } = withClock();
  at(1);
  for (let index = 0; index < 1_000; index += 1) scrapes.answered(`scraper ${index}`, 0);
  expect(scrapes.expected(1).scrapers).toBe(32);
});
