import { useQuery } from "@tanstack/react-query";
import { api, bodyOf } from "./client.ts";

/** Runs beside the first of them, measured on the same rows; refused where they were not. */
export function useComparison(ids: readonly string[]) {
  return useQuery({
    queryKey: ["comparison", ...ids],
    queryFn: ({ signal }) =>
      bodyOf(api.GET("/api/ml/v1/training-runs/compare", { params: { query: { ids: ids.join(",") } }, signal })),
  });
}
