import { sendAnswer } from "../../http/events.ts";
import { type ApiRoute, defineRoute } from "../../http/route.ts";
import { readAway } from "../../http/upload-stream.ts";
import { inspectedTable, uploadForm } from "../answers/dataset-schemas.ts";
import { understoodWithColumnsOf } from "../answers/understood.ts";
import { checkEvents, toldAsker } from "../checks/told-asker.ts";
import { inspectTable, type ReceivingParts } from "./receive-upload.ts";
import { uploadEncoding, uploadErrors } from "./upload-call.ts";
import type { UploadDoor } from "./upload-door.ts";

/** What an upload of the same form would be understood as; nothing is kept of it. */
export function inspectRoute(parts: ReceivingParts, door: UploadDoor): ApiRoute {
  return defineRoute({
    method: "post",
    path: "/datasets/inspect",
    operationId: "inspectTable",
    tag: "Datasets",
    summary: "What a table would be understood as, without keeping it",
    rawBody: { "multipart/form-data": uploadForm },
    formEncoding: uploadEncoding,
    responses: { 200: { description: "What was understood.", schema: inspectedTable }, 202: checkEvents },
    errors: uploadErrors,
    async handle({ owner, request, response }) {
      try {
        const { received, checked } = await door.receive(owner, { request, response }, async (received, signal) => ({
          received,
          checked: await inspectTable(parts, toldAsker({ owner, request, response }, signal), received),
        }));
        const { target, task, rowCount, columns, dialect, leftOut, warnings } = checked;
        sendAnswer(response, {
          status: 200,
          body: {
            target,
            task,
            rows: rowCount,
            columns: columns.length,
            sizeBytes: received.sizeBytes,
            sha256: received.sha256,
            understood: understoodWithColumnsOf({ dialect, columns, target, said: { leftOut } }),
            warnings: [...warnings.first],
            warningCount: warnings.count,
          },
        });
      } catch (error) {
        if (!request.complete) readAway(request);
        throw error;
      }
    },
  });
}
