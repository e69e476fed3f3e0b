import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormRow } from "../words/form-row.ts";
import type { Prediction, Predictions } from "./answers.ts";
import { api, bodyOf, requireDone } from "./client.ts";
import { toFault } from "./fault.ts";

const pageSize = 20;
const modelKey = (id: string) => ["model", id] as const;

/** The models, newest first, a page at a time. */
export function useModels() {
  return useInfiniteQuery({
    queryKey: ["models"],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) =>
      bodyOf(api.GET("/api/ml/v1/artifacts", { params: { query: { limit: pageSize, cursor } }, signal })),
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });
}

/** A model with what it takes. */
export function useModel(id: string) {
  return useQuery({
    queryKey: modelKey(id),
    queryFn: ({ signal }) => bodyOf(api.GET("/api/ml/v1/artifacts/{id}", { params: { path: { id } }, signal })),
  });
}

/** Pins a model, so that newer ones don't push it out, or takes the pin off. */
export function usePin(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (pinned: boolean) =>
      bodyOf(api.PATCH("/api/ml/v1/artifacts/{id}", { params: { path: { id } }, body: { pinned } })),
    onSuccess: (model) => {
      queries.setQueryData(modelKey(id), model);
      return queries.invalidateQueries({ queryKey: ["models"] });
    },
  });
}

/** Deletes a model for good. */
export function useDeleteModel(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => requireDone(api.DELETE("/api/ml/v1/artifacts/{id}", { params: { path: { id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["models"] }),
  });
}

/** A form of a model's file that others read. */
export type ModelFormat = "xgboost" | "onnx";

/** Fetches a model's file: by a call, since a link can send no key. */
export function useModelFile(id: string) {
  return useMutation({
    mutationFn: async (format: ModelFormat) =>
      (await bodyOf(
        api.GET("/api/ml/v1/artifacts/{id}/content", {
          params: { path: { id }, query: { format } },
          parseAs: "blob",
        }),
      )) as Blob,
  });
}

async function ask(id: string, row: FormRow, explain: boolean): Promise<Prediction> {
  const { predictions } = await bodyOf(
    api.POST("/api/ml/v1/artifacts/{id}/predictions", {
      params: { path: { id }, query: explain ? { explain: "true" } : {} },
      body: { rows: [row] },
      headers: { "Content-Type": "application/json" },
    }),
  );
  return predictions[0]!;
}

/** Asks a model for the rows of a CSV file, which goes as it is: the service finds out how it is written. */
export function useFilePrediction(id: string) {
  return useMutation({
    mutationFn: (file: File): Promise<Predictions> =>
      bodyOf(
        api.POST("/api/ml/v1/artifacts/{id}/predictions", {
          params: { path: { id } },
          // The document has it as text, whose letters the browser would have to know.
          body: file as never,
          bodySerializer: (body: unknown) => body as Blob,
          headers: { "Content-Type": "text/csv" },
        }),
      ),
  });
}

/** Asks a model for one row, with what each column adds where it can tell that. */
export function usePrediction(id: string) {
  return useMutation({
    mutationFn: async (row: FormRow) => {
      try {
        return await ask(id, row, true);
      } catch (thrown) {
        const { code } = toFault(thrown);
        // Of a model from before, or too much to explain: what it says is wanted all the same.
        if (code !== "EXPLANATION_UNAVAILABLE" && code !== "PREDICTION_TOO_LARGE") throw thrown;
        return await ask(id, row, false);
      }
    },
  });
}
