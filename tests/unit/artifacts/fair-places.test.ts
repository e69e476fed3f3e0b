import { describe, expect, test } from "vitest";
import { createFairPlaces, nextToWork } from "../../../src/artifacts/fair-places.ts";

const never = new AbortController().signal;
const limits = { atWork: 2, inHand: 4, isShared: true };
const guest = (owner: string) => ({ owner });

describe("who goes next", () => {
  const [a1, a2, b1] = [guest("a"), guest("a"), guest("b")];
  test.each([
    ["the first who came", [a1, a2], [], [], a1],
    ["nobody where all places are taken", [a1], [guest("x"), guest("y")], [], undefined],
    ["another owner's where the first has half of the places", [a1, b1], [guest("a")], [], b1],
    ["nobody where the only ones who wait have half", [a1, a2], [guest("a")], [], undefined],
    [
      "whose owner went longest ago",
      [a1, b1],
      [],
      [
        ["a", 7],
        ["b", 3],
      ],
      b1,
    ],
    ["whose owner never went", [a1, b1], [], [["a", 1]], b1],
  ] as const)("%s", (_, waiting, working, turns, expected) => {
    expect(nextToWork(waiting, new Set(working), new Map(turns), limits)).toBe(expected);
  });

  test("one owner may have all where there is no other", () => {
    const alone = { ...limits, isShared: false };
    expect(nextToWork([a1], new Set([guest("a")]), new Map(), alone)).toBe(a1);
  });
});

describe("places", () => {
  test("above the limit nobody waits: it is told at once, with words and a time", async () => {
    const places = createFairPlaces({ atWork: 1, inHand: 1, isShared: false });
    using _held = await places.take("a", never);
    await expect(places.take("a", never)).rejects.toMatchObject({
      code: "TOO_MANY_PREDICTIONS",
      message: expect.stringContaining("1 of them yours"),
      retryAfterSeconds: 1,
    });
  });

  test("an owner has half of the row, the other half stays for others", async () => {
    const places = createFairPlaces({ atWork: 2, inHand: 2, isShared: true });
    using _own = await places.take("a", never);
    await expect(places.take("a", never)).rejects.toMatchObject({ code: "TOO_MANY_PREDICTIONS" });
    using _others = await places.take("b", never);
  });

  test("who leaves the row or the place makes room for the next", async () => {
    const places = createFairPlaces({ atWork: 1, inHand: 2, isShared: false });
    const held = await places.take("a", never);
    const leaving = new AbortController();
    const waiting = places.take("a", leaving.signal);
    await expect(places.take("a", never)).rejects.toMatchObject({ code: "TOO_MANY_PREDICTIONS" });
    leaving.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    const next = places.take("a", never);
    held[Symbol.dispose]();
    using _next = await next;
  });
});
