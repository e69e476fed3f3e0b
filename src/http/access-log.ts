import { context } from "@opentelemetry/api";
import type { Request, RequestHandler, Response } from "express";
import type { Logger } from "../log.ts";

/** What is known of a request at the side, where it is measured. */
export interface RequestFacts {
  /** The template of the route that answered; a raw path could hold anything. */
  readonly routeOf: (request: Request) => string;
  /** Bytes of the answer's body that were sent; undefined when nobody counted them. */
  readonly sentBytesOf: (request: Request, response: Response) => number | undefined;
  /** How a request ended that its answer has no word of; status 0: nothing of one was sent. */
  readonly endOf: (
    request: Request,
    response: Response,
  ) => { readonly statusCode: number; readonly fault: string } | undefined;
}

/** One line a request; mounted behind scrapes and health, which would drown the rest. */
export function accessLog(log: Logger, { routeOf, sentBytesOf, endOf }: RequestFacts): RequestHandler {
  return (request, response, next) => {
    const startedMs = performance.now();
    const write = (): void => {
      const end = endOf(request, response);
      // An answer that nobody got says 200.
      const status = end === undefined ? response.statusCode : end.statusCode || undefined;
      log.info(
        {
          method: request.method,
          route: routeOf(request),
          status,
          durationSeconds: Number(((performance.now() - startedMs) / 1000).toFixed(4)),
          bytes: sentBytesOf(request, response),
          request_id: response.locals.requestId,
          run_id: response.locals.runId,
          code: response.locals.code,
          error_type: end?.fault,
        },
        "request",
      );
    };
    // The connection closes outside of the request's trace: the line would be without its ids.
    response.on("close", context.bind(context.active(), write));
    next();
  };
}
