import { expect, test } from "vitest";
import { binsOf, frequentBars } from "../../../src/console/words/profile.ts";

test("bins are as high as they are full, beside the fullest, with their edges; a text has none", () => {
  const histogram = { binEdges: [0, 1, 2], counts: [1, 4] };
  expect(binsOf({ histogram })).toEqual([
    { from: 0, to: 1, count: 1, height: 0.25 },
    { from: 1, to: 2, count: 4, height: 1 },
  ]);
  expect(binsOf({})).toEqual([]);
  expect(binsOf({ histogram: { binEdges: [0, 1], counts: [0] } })[0]?.height).toBe(0);
});

test("the most frequent values, and none where each stands once", () => {
  const topValues = [
    { value: "a", count: 4 },
    { value: "b", count: 1 },
    { value: "c", count: 1 },
  ];
  expect(frequentBars({ topValues }, 2)).toEqual([
    { name: "a", value: 4, length: 1 },
    { name: "b", value: 1, length: 0.25 },
  ]);
  expect(frequentBars({ topValues: topValues.slice(1) }, 2)).toEqual([]);
  expect(frequentBars({ topValues: [] }, 2)).toEqual([]);
});
