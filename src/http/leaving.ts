import type { Response } from "express";
import { ClientClosedError } from "../errors.ts";

/** Aborted with ClientClosedError when the client leaves before its answer is whole. */
export function leavingOf(response: Response): AbortSignal {
  const leaving = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) leaving.abort(new ClientClosedError());
  });
  return leaving.signal;
}
