import type { IncomingMessage } from "node:http";
import { requestMalformed } from "../monitoring/metrics.ts";

/**
 * Whether the request names its host once. With two, a proxy in front may believe the other one (RFC 9112, section 3.2
 * wants 400); Node hands on the first and says nothing. One that doesn't is counted as malformed.
 */
export function hasOneHost(request: IncomingMessage): boolean {
  let hosts = 0;
  // Names and values in turn; of hundreds of headers none is copied.
  for (let index = 0; index < request.rawHeaders.length; index += 2)
    if (request.rawHeaders[index]?.length === 4 && request.rawHeaders[index]?.toLowerCase() === "host") hosts += 1;
  if (hosts > 1) requestMalformed(request);
  return hosts <= 1;
}
