import createClient, { type Middleware } from "openapi-fetch";
import { keyHeaders, keyWasRefused } from "./api-key.ts";
import { faultOf } from "./fault.ts";
import type { paths } from "./openapi.d.ts";
import { rootAddress } from "./root-address.ts";

const withKey: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(keyHeaders())) request.headers.set(name, value);
    return request;
  },
  onResponse({ request, response }) {
    const [, sent] = /^Bearer (.*)$/.exec(request.headers.get("Authorization") ?? "") ?? [];
    if (response.status === 401) keyWasRefused(sent);
  },
};

/** The API, with types from its document. */
export const api = createClient<paths>({ baseUrl: rootAddress.href.replace(/\/$/, "") });
api.use(withKey);

/**
 * The body of an answer.
 * @throws ApiFault with the answer's code, or the network's own error
 */
export async function bodyOf<Body>(
  call: Promise<{ data?: Body; error?: unknown; response: Response }>,
): Promise<NonNullable<Body>> {
  const { data, error, response } = await call;
  if (!response.ok || data === undefined || data === null) throw faultOf(response.status, error);
  return data;
}

/**
 * Waits for a call that answers with no body.
 * @throws ApiFault with the answer's code, or the network's own error
 */
export async function requireDone(call: Promise<{ error?: unknown; response: Response }>): Promise<void> {
  const { error, response } = await call;
  if (!response.ok) throw faultOf(response.status, error);
}
