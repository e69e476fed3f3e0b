import type { Request } from "express";
import { pathOf, relativeAddress } from "../../http/relative-address.ts";
import { apiPrefix } from "../../http/route.ts";
import type { Dataset } from "../kept/dataset-repository.ts";
import { etagOf } from "./etag.ts";

/** What leads from an answer to the dataset that it tells of. */
export function keptHeadersOf(request: Request, dataset: Dataset): Readonly<Record<"Location" | "ETag", string>> {
  return {
    Location: relativeAddress(pathOf(request), `${apiPrefix}/datasets/${dataset.id}`),
    ETag: etagOf(dataset),
  };
}
