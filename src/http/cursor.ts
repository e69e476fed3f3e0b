import { validate } from "uuid";
import { DomainError } from "../errors.ts";
import type { Page } from "../store/read-page.ts";

/** How a cursor looks: `v1:` and a UUID as base64url. */
export const cursorPattern = "^djE6[A-Za-z0-9_-]{48}$";

/** The opaque cursor after an item: lists go from the newest id (UUIDv7) to the oldest. */
export function encodeCursor(lastId: string): string {
  return Buffer.from(`v1:${lastId}`).toString("base64url");
}

/** @throws DomainError CURSOR_INVALID for what encodeCursor did not make */
export function decodeCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  const id = text.slice(3);
  if (!text.startsWith("v1:") || !validate(id)) {
    throw new DomainError(
      "CURSOR_INVALID",
      "This cursor is none of ours. Leave it out, or send the nextCursor of a page.",
    );
  }
  return id;
}

/** A page as every list answers it, with the cursor of the next one. */
export function answerPage<Row extends { id: string }, Item>(
  { items, hasMore }: Page<Row>,
  toItem: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const last = items.at(-1);
  return { items: items.map(toItem), nextCursor: hasMore && last !== undefined ? encodeCursor(last.id) : null };
}
