import { createHash } from "node:crypto";
import type { Kysely } from "kysely";
import { DomainError } from "../errors.ts";
import type { Tables } from "../store/schema.ts";

/** How long a key is remembered. */
export const IDEMPOTENCY_KEY_LIFE_SECONDS = 24 * 3600;

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(
    entries.sort(([one], [other]) => (one < other ? -1 : 1)).map(([key, inner]) => [key, canonical(inner)]),
  );
}

/** The same for two requests that mean the same, in whatever order their fields stand. */
export function hashRequest(request: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(canonical(request)))
    .digest("hex");
}

/** What a key is: visible ASCII characters. */
export const idempotencyKey = /^[\x21-\x7e]{1,255}$/;

/** @throws DomainError IDEMPOTENCY_KEY_INVALID */
export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (!idempotencyKey.test(header)) {
    throw new DomainError(
      "IDEMPOTENCY_KEY_INVALID",
      "Idempotency-Key takes 1 to 255 visible ASCII characters without spaces, e.g. a UUID.",
    );
  }
  return header;
}

/**
 * The run that was made with this key, if there is one. Call it under the owner's lock.
 * @throws DomainError IDEMPOTENCY_KEY_REUSED when the key came with another request
 */
export async function findRunOfKey(
  tx: Kysely<Tables>,
  { owner, key, requestHash, nowMs }: { owner: string; key: string; requestHash: string; nowMs: number },
): Promise<string | undefined> {
  const oldest = new Date(nowMs - IDEMPOTENCY_KEY_LIFE_SECONDS * 1000);
  await tx.deleteFrom("idempotency_keys").where("owner", "=", owner).where("created_at", "<", oldest).execute();
  const known = await tx
    .selectFrom("idempotency_keys")
    .select(["run_id", "request_hash"])
    .where("owner", "=", owner)
    .where("key", "=", key)
    .executeTakeFirst();
  if (known === undefined) return undefined;
  if (known.request_hash !== requestHash) {
    throw new DomainError(
      "IDEMPOTENCY_KEY_REUSED",
      "This Idempotency-Key was sent with another request in the last 24 h. Use a new key for a new request.",
    );
  }
  return known.run_id;
}

export async function rememberKey(
  tx: Kysely<Tables>,
  {
    owner,
    key,
    requestHash,
    runId,
    nowMs,
  }: { owner: string; key: string; requestHash: string; runId: string; nowMs: number },
): Promise<void> {
  await tx
    .insertInto("idempotency_keys")
    .values({ owner, key, request_hash: requestHash, run_id: runId, created_at: new Date(nowMs) })
    .execute();
}
