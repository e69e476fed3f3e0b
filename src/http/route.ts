import type { Request, Response } from "express";
import { z } from "zod";
import type { ErrorCode } from "../errors.ts";
import { cursorPattern } from "./cursor.ts";

/** Where the API's own routes begin. */
export const apiPrefix = "/api/ml/v1";

/** One call, checked: what a handler works with. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  /** Who asks. */
  readonly owner: string;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly request: Request;
  readonly response: Response;
}

/** An answer as the OpenAPI document describes it. */
export interface ResponseDescription {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Default application/json. */
  readonly contentType?: string | readonly string[];
  /** The type of a file of bytes, which it may be instead. */
  readonly binaryType?: string;
  /** Those that a caller goes by. */
  readonly headers?: z.ZodObject;
}

/** One operation of the API: mounted on Express and written into the OpenAPI document from the same value. */
export interface ApiRoute {
  readonly method: "get" | "post" | "patch" | "delete";
  /** An Express path below /api/ml/v1, e.g. `/datasets/:id`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** A JSON body, parsed and checked before the handler runs. */
  readonly body?: z.ZodType;
  /** A body that the handler reads itself, for the document only: content type to schema. */
  readonly rawBody?: Readonly<Record<string, z.ZodType>>;
  /** OpenAPI's Encoding Objects of the fields of such a form, for the document only. */
  readonly formEncoding?: Readonly<Record<string, object>>;
  readonly headers?: z.ZodObject;
  readonly responses: Readonly<Record<number, ResponseDescription>>;
  readonly errors: readonly ErrorCode[];
  handle(call: Call): Promise<void>;
}

/** Ties a route's schemas to the types of its handler. */
export function defineRoute<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
>(
  route: Omit<ApiRoute, "handle" | "params" | "query" | "body"> & {
    params?: Params;
    query?: Query;
    body?: Body;
    handle(call: Call<z.output<Params>, z.output<Query>, z.output<Body>>): Promise<void>;
  },
): ApiRoute {
  return route as unknown as ApiRoute;
}

/** Path parameter `id`: a UUID. */
export const idParams = z.object({ id: z.uuid() });

/**
 * A whole number in a query. Only digits are one: `Number` would take nothing at all for 0, and `1e2` and `0x10` for
 * numbers that the document of this interface doesn't call so.
 */
export function queryInteger(least: number, most: number) {
  const read = (value: unknown) => (typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value);
  return z.preprocess(read, z.int("A whole number, written in digits.").min(least).max(most));
}

/** How much a page has at most. */
export const pageLimit = queryInteger(1, 100).default(20);

/** Query of every list. */
export const pageQuery = z.object({
  limit: pageLimit.describe(
    "How many items at most. A page of items with much in them has fewer; nextCursor leads on.",
  ),
  // Not a check: what is no cursor is CURSOR_INVALID (src/http/cursor.ts), a code of its own.
  cursor: z.string().optional().meta({ pattern: cursorPattern, description: "nextCursor of the page before." }),
});

/** A page of items, as every list answers. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}
