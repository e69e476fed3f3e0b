import type { z } from "zod";
import type { ErrorCode } from "../../errors.ts";
import { sendAnswer } from "../../http/events.ts";
import { leavingOf } from "../../http/leaving.ts";
import { type ApiRoute, defineRoute, idParams } from "../../http/route.ts";
import type { Store } from "../../store/database.ts";
import { correctionSchema, keptHeaders, uploadedDataset } from "../answers/dataset-schemas.ts";
import { keptHeadersOf } from "../answers/kept-headers.ts";
import { checkEvents, toldAsker } from "../checks/told-asker.ts";
import type { Dataset } from "../kept/dataset-repository.ts";
import type { ReceivingParts } from "../upload/receive-upload.ts";
import { correctDataset } from "./correct-dataset.ts";

/** What a file that was taken once may be refused with when it is read otherwise, or with another version's limits. */
const readingErrors: readonly ErrorCode[] = [
  "DATE_ORDER_UNKNOWN",
  "FIELD_INVALID",
  "TARGET_UNKNOWN",
  "TARGET_SINGLE_CLASS",
  "TOO_MANY_EMPTY_CELLS",
  "TOO_FEW_ROWS",
  "TOO_FEW_COLUMNS",
  "HEADER_MISSING",
  "COLUMN_NAMES_INVALID",
  "ROW_RAGGED",
  "NOT_CSV",
  "WRONG_ENCODING",
  "DATASET_TOO_WIDE",
];

/** Corrects what a dataset was understood as, without its file. */
export function correctRoute(
  parts: ReceivingParts & { readonly store: Pick<Store, "requireRoom"> },
  toWhole: (row: Dataset) => z.input<typeof uploadedDataset>,
): ApiRoute {
  return defineRoute({
    method: "patch",
    path: "/datasets/:id",
    operationId: "correctDataset",
    tag: "Datasets",
    summary: "Correct what a table was understood as, without sending it again",
    params: idParams,
    body: correctionSchema,
    responses: {
      200: {
        description: "The dataset as it is now, or a version of it that is understood so already; Location names it.",
        schema: uploadedDataset,
        headers: keptHeaders,
      },
      202: checkEvents,
      201: {
        description: "A training run has used the dataset, and it stays as it was: this is a new version of it.",
        schema: uploadedDataset,
        headers: keptHeaders,
      },
    },
    errors: [
      "ID_INVALID",
      "DATASET_NOT_FOUND",
      "VALIDATION_FAILED",
      "JSON_INVALID",
      "UNSUPPORTED_MEDIA_TYPE",
      "BODY_TOO_LARGE",
      ...readingErrors,
      "QUOTA_EXCEEDED",
      "CHECKS_BUSY",
      "DISK_FULL",
      "FILE_MISSING_IN_STORAGE",
      "STORAGE_UNAVAILABLE",
    ],
    async handle({ owner, params, body, request, response }) {
      await parts.store.requireRoom();
      const asker = toldAsker({ owner, request, response }, leavingOf(response));
      const { dataset, isNew } = await correctDataset(parts, { asker, id: params.id, correction: body });
      sendAnswer(response, {
        status: isNew ? 201 : 200,
        headers: keptHeadersOf(request, dataset),
        body: toWhole(dataset),
      });
    },
  });
}
