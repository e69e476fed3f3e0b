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

/** PostgreSQL and socket faults that mean «the database is away», not «the statement is wrong». */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("code" in error && typeof error.code === "string" && awayCodes.has(error.code)) return true;
  // node-postgres says these without a code.
  return /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|PGlite is closed/.test(
    error.message,
  );
}

/**
 * Whether what ended a piece of work in the background came from outside: database or bucket were away. It is no fault of
 * the work, and does not count as one of its attempts.
 */
export function isOutage(error: unknown): boolean {
  return isDatabaseAway(error) || (error instanceof DomainError && error.code === "STORAGE_UNAVAILABLE");
}
