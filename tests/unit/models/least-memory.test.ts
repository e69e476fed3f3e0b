import { expect, test } from "vitest";
import { leastTrainingBytes, type TrainingSize } from "../../../src/models/least-memory.ts";

const empty: TrainingSize = { rows: 0, columns: 21, textColumns: 0, mode: "heavy" };
const bytesOf = (size: Partial<TrainingSize>): number =>
  leastTrainingBytes({ ...empty, ...size }) - leastTrainingBytes(empty);

test("before the load the floor is that of the table: eight bytes a number, one a text", () => {
  expect(bytesOf({ rows: 5_000_000 })).toBe(5_000_000 * 21 * 8);
  expect(bytesOf({ rows: 5_000_000, textColumns: 5 })).toBe(5_000_000 * (16 * 8 + 5));
});

test("then features count: a byte each of trees, one for all categories of a column, eight each of a light model", () => {
  const known = { trainRows: 1_000_000, numberFeatures: 15, categoryFeatures: 255, categoryColumns: 5 };
  expect(bytesOf(known)).toBe(1_000_000 * (8 + 15 + 5 + 24));
  expect(bytesOf({ ...known, fits: 5, outputs: 3 })).toBe(1_000_000 * (8 + 5 * (15 + 5) + 5 * 3 * 24));
  expect(bytesOf({ ...known, mode: "light" })).toBe(1_000_000 * (8 + 8 * 270 + 16));
});
