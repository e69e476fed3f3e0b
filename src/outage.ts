import { DomainError } from "./errors.ts";

const awayCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "57P01",
  "57P02",
  "57P03",
  "08006",
  "08001",
  "08003",
  "53300",
  // Statements and transactions that took longer than DATABASE__TIMEOUT_SECONDS.
  "57014",
  "25P03",
]);

const awayMessage =
  /Connection terminated|timeout exceeded when trying to connect|^timeout expired$|Client (has encountered a connection error|was closed) and is not queryable|PGlite is closed/;

/** PostgreSQL and socket faults that mean «the database is away», not «the statement is wrong». */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("code" in error && typeof error.code === "string" && awayCodes.has(error.code)) return true;
  // node-postgres says these without a code.
  return awayMessage.test(error.message);
}

/**
 * Whether what ended a piece of work in the background came from outside: database or bucket were away. It is no fault of
 * the work, and does not count as one of its attempts.
 */
export function isOutage(error: unknown): boolean {
  return isDatabaseAway(error) || (error instanceof DomainError && error.code === "STORAGE_UNAVAILABLE");
}
