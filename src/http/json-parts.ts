import { DomainError } from "../errors.ts";
import { maxColumns } from "../tables/csv-record.ts";

/** All columns of a table have a type each, or are one list; no call's body has twenty members and lists more. */
const mostParts = maxColumns + 100;

// ASCII.
const quote = 0x22;
const colon = 0x3a;
const bracket = 0x5b;
const backslash = 0x5c;
const brace = 0x7b;

/**
 * Counts a body's members, lists and objects before it is parsed, for body-parser's `verify`: 24,000 members in 216 KB took
 * 35 to 65 ms of the event loop, 270,000 lists in each other 20 to 50 ms, and this 2 ms (measured November 2026).
 * @throws DomainError VALIDATION_FAILED where there are more than 2,100, UNSUPPORTED_MEDIA_TYPE for other than UTF-8
 */
export function refuseManyParts(_request: unknown, _response: unknown, body: Buffer, encoding: string): void {
  // The signs of another encoding are other bytes; RFC 8259, section 8.1, wants UTF-8.
  if (encoding !== "utf-8") throw new DomainError("UNSUPPORTED_MEDIA_TYPE", "Send the body as UTF-8.");
  let parts = 0;
  let isString = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === quote) isString = !isString;
    else if (isString) {
      if (byte === backslash) at += 1;
    } else if (byte === colon || byte === bracket || byte === brace) parts += 1;
  }
  if (parts > mostParts)
    throw new DomainError(
      "VALIDATION_FAILED",
      `The body has more than ${mostParts} members, lists and objects. /api/docs says what this call takes.`,
    );
}
