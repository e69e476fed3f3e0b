import fc from "fast-check";
import { v7 as uuidv7 } from "uuid";
import { expect, test } from "vitest";
import { answerPage, decodeCursor, encodeCursor } from "../../../src/http/cursor.ts";
import { faultOf } from "../../support/fault-of.ts";

const id = fc.uuid();

test("following the cursors shows every row once, in order, and then ends", () => {
  fc.assert(
    fc.property(fc.nat({ max: 60 }), fc.integer({ min: 1, max: 20 }), (count, limit) => {
      const rows = Array.from({ length: count }, () => ({ id: uuidv7() })).toSorted((a, b) => (a.id < b.id ? 1 : -1));
      const seen: { id: string }[] = [];
      let cursor: string | undefined;
      for (let pages = 0; pages <= count; pages += 1) {
        const beforeId = decodeCursor(cursor);
        const found = rows.filter((row) => beforeId === undefined || row.id < beforeId);
        const page = answerPage({ items: found.slice(0, limit), hasMore: found.length > limit }, (row) => row);
        expect(page.items.length).toBeLessThanOrEqual(limit);
        // A client that shows a button for more must not find nothing behind it.
        expect(page.items.length).toBeGreaterThan(count === 0 ? -1 : 0);
        seen.push(...page.items);
        if (page.nextCursor === null) break;
        cursor = page.nextCursor;
      }
      expect(seen).toEqual(rows);
    }),
  );
});

test("a cursor fits into a query as it is, and is opaque", () => {
  fc.assert(
    fc.property(id, (lastId) => {
      const cursor = encodeCursor(lastId);
      expect(decodeCursor(cursor)).toBe(lastId);
      expect(encodeURIComponent(cursor)).toBe(cursor);
      // What the schema of the query takes.
      expect(cursor.length).toBeLessThanOrEqual(200);
      expect(cursor).not.toContain(lastId);
    }),
  );
});

test("nothing else is a cursor, and an id never reaches the database unless it is one", async () => {
  const almost = fc
    .tuple(fc.constantFrom("", "v2:", "v1", "v1:", "v1: "), fc.oneof(fc.string(), id))
    .map(([version, text]) => version + text)
    .filter((text) => !/^v1:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text));
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        almost.map((text) => Buffer.from(text).toString("base64url")),
        almost,
      ),
      async (cursor) => {
        expect((await faultOf(() => decodeCursor(cursor))).code).toBe("CURSOR_INVALID");
      },
    ),
    { numRuns: 500 },
  );
});

test("no cursor is the first page", () => {
  expect(decodeCursor(undefined)).toBeUndefined();
});
