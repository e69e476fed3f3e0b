import { createHash, timingSafeEqual } from "node:crypto";
import type { RequestHandler } from "express";
import { DomainError } from "../errors.ts";
import type { Config } from "../settings/config.ts";

/** Without keys everything belongs to this owner. */
const localOwner = "local";

function hostName(value: string): string {
  return value.replace(/:\d+$/, "").toLowerCase();
}

function originHost(origin: string): string | undefined {
  try {
    return new URL(origin).hostname.toLowerCase();
  } catch {
    // `null` of a sandboxed page, or nonsense: no host that could be allowed.
    return undefined;
  }
}

/**
 * While there are no keys any web page could post a form here, or rebind its own name to 127.0.0.1: so only requests
 * whose Host, and Origin where there is one, are on the list.
 */
function checkHost(config: Config): RequestHandler {
  const allowed = new Set(config.allowedHosts.map((host) => host.toLowerCase()));
  return (request, response, next) => {
    const host = request.headers.host;
    const origin = request.headers.origin;
    const isAllowed =
      host !== undefined &&
      allowed.has(hostName(host)) &&
      (origin === undefined || allowed.has(originHost(origin) ?? ""));
    if (!isAllowed) {
      throw new DomainError(
        "HOST_NOT_ALLOWED",
        "This service has no API keys and answers only to the hosts in AUTH__ALLOWED_HOSTS.",
      );
    }
    response.locals.owner = localOwner;
    next();
  };
}

function checkKey(config: Config): RequestHandler {
  const keys = config.apiKeys.map(({ owner, keySha256 }) => ({ owner, digest: Buffer.from(keySha256, "hex") }));
  return (request, response, next) => {
    const [, key] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    const digest = createHash("sha256")
      .update(key ?? "")
      .digest();
    let owner: string | undefined;
    // Every key is compared, found or not: the time of the answer tells nothing.
    for (const candidate of keys) if (timingSafeEqual(candidate.digest, digest)) owner = candidate.owner;
    if (key === undefined || owner === undefined) {
      throw new DomainError("UNAUTHORIZED", "Send a valid API key as `Authorization: Bearer <key>`.");
    }
    response.locals.owner = owner;
    next();
  };
}

/** Tells who asks: `response.locals.owner`. Throws UNAUTHORIZED or HOST_NOT_ALLOWED. */
export function authenticate(config: Config): RequestHandler {
  return config.apiKeys.length > 0 ? checkKey(config) : checkHost(config);
}
