import type { RequestHandler } from "express";
import { DomainError } from "../errors.ts";

/** Answers 405 with the methods that a path takes; mounted behind them. A path with GET takes HEAD as well. */
export function methodNotAllowed(methods: readonly string[]): RequestHandler {
  const allow = [...new Set([...methods, ...(methods.includes("get") ? ["head"] : [])])].join(", ").toUpperCase();
  return (_request, response) => {
    response.setHeader("Allow", allow);
    throw new DomainError("METHOD_NOT_ALLOWED", `This path takes ${allow}.`);
  };
}
