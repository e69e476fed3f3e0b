import { validate } from "uuid";
import { DomainError } from "../errors.ts";

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

/** Cuts the one row too many that a list asked for, and makes the cursor of the next page from it. */
export function toPage<Row extends { id: string }>(
  rows: Row[],
  limit: number,
): { items: Row[]; nextCursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last.id) : null };
}
