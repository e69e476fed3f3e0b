import type { Request } from "express";

/**
 * The address of a path of ours as seen from another of them, both absolute: a relative reference (RFC 3986, 4.2) also
 * leads there behind a proxy that strips a prefix which the service doesn't know. With `asSeenFrom` as it was asked for:
 * a slash at its end counts (ibid., 5.2.3).
 */
export function relativeAddress(asSeenFrom: string, path: string): string {
  const from = asSeenFrom.split("/").slice(0, -1);
  const to = path.split("/");
  let shared = 0;
  while (shared < from.length && shared < to.length - 1 && from[shared] === to[shared]) shared += 1;
  const address = [...from.slice(shared).map(() => ".."), ...to.slice(shared)].join("/");
  // Empty would mean the page itself, with its last part.
  return address === "" ? "." : address;
}

/** Where a request went, as its client wrote it behind the prefix of a proxy. */
export function pathOf(request: Request): string {
  return `${request.baseUrl}${request.path}`;
}
