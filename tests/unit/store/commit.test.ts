import type { Kysely } from "kysely";
import { expect, test } from "vitest";
import { inTransaction, mayStand } from "../../../src/store/commit.ts";
import type { Tables } from "../../../src/store/schema.ts";

/** A database whose COMMIT fails in that way. */
const failing = (error: unknown): Kysely<Tables> =>
  ({
    transaction: () => ({
      async execute(work: (tx: unknown) => Promise<unknown>) {
        await work({});
        throw error;
      },
    }),
  }) as unknown as Kysely<Tables>;

const told = (severity: string, code: string): Error => Object.assign(new Error("told"), { severity, code });

test.each([
  ["a serialization failure", told("ERROR", "40001"), false],
  ["a deferred constraint, in another language", told("FEHLER", "23503"), false],
  ["no room on the disk", told("ERREUR", "53100"), false],
  ["the server is shut down", told("FATAL", "57P01"), true],
  ["the server has crashed", told("PANIC", "58030"), true],
  ["the connection broke", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }), true],
  ["no answer", new Error("Query read timeout"), true],
])("a COMMIT that fails with %s: whether it may stand", async (_what, error, expected) => {
  await expect(inTransaction(failing(error), async () => 1)).rejects.toBe(error);
  expect(mayStand(error)).toBe(expected);
});

test("what fails before the COMMIT does not stand", async () => {
  const error = new Error("gone");
  const work = async (): Promise<never> => {
    throw error;
  };
  await expect(inTransaction(failing(new Error("never")), work)).rejects.toBe(error);
  expect(mayStand(error)).toBe(false);
});
