import { context } from "@opentelemetry/api";
import type { Request, RequestHandler, Response } from "express";
import type { Logger } from "../log.ts";

/** What is known of a request at the side, where it is measured. */
export interface RequestFacts {
  /** The template of the route that answered; a raw path could hold anything. */
  readonly routeOf: (request: Request) => string;
  /** Bytes of the answer's body that were sent; undefined when nobody counted them. */
  readonly sentBytesOf: (request: Request, response: Response) => number | undefined;
  /** How a request ended whose answer was not finished; status 0: nothing of one was sent. */
  readonly endOf: (request: Request) => { readonly statusCode: number; readonly fault: string };
}

/** One line a request; mounted behind scrapes and health, which would drown the rest. */
export function accessLog(log: Logger, { routeOf, sentBytesOf, endOf }: RequestFacts): RequestHandler {
  return (request, response, next) => {
    const startedMs = performance.now();
    const write = (): void => {
      const end = response.writableFinished ? undefined : endOf(request);
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
