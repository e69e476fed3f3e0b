import { DomainError } from "../errors.ts";

/** No run of the owner has that id. */
export const runNotFound = (): DomainError =>
  new DomainError("RUN_NOT_FOUND", "There is no such training run. GET /training-runs lists yours.");
