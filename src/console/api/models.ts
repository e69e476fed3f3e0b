import { useMutation, useQuery } from "@tanstack/react-query";
import type { FormRow } from "../words/form-row.ts";
import { api, bodyOf } from "./client.ts";

/** A model with what it takes. */
export function useModel(id: string) {
  return useQuery({
    queryKey: ["model", id],
    // What a model takes never changes.
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => bodyOf(api.GET("/api/ml/v1/artifacts/{id}", { params: { path: { id } }, signal })),
  });
}

/** Asks a model for one row, with what each column adds. */
export function usePrediction(id: string) {
  return useMutation({
    mutationFn: async (row: FormRow) => {
      const { predictions } = await bodyOf(
        api.POST("/api/ml/v1/artifacts/{id}/predictions", {
          params: { path: { id } },
          body: { rows: [row] },
          headers: { "Content-Type": "application/json" },
        }),
      );
      return predictions[0]!;
    },
  });
}
