import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, bodyOf } from "./client.ts";

const pageSize = 20;
const shownRows = 10;

/** The datasets, newest first, a page at a time. */
export function useDatasets() {
  return useInfiniteQuery({
    queryKey: ["datasets"],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) =>
      bodyOf(api.GET("/api/ml/v1/datasets", { params: { query: { limit: pageSize, cursor } }, signal })),
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });
}

/** One dataset with what was understood of it. */
export function useDataset(id: string | undefined) {
  return useQuery({
    queryKey: ["dataset", id],
    enabled: id !== undefined,
    queryFn: ({ signal }) =>
      bodyOf(api.GET("/api/ml/v1/datasets/{id}", { params: { path: { id: id ?? "" } }, signal })),
  });
}

/** Its first rows, as they are understood. */
export function useFirstRows(id: string) {
  return useQuery({
    queryKey: ["rows", id],
    queryFn: ({ signal }) =>
      bodyOf(
        api.GET("/api/ml/v1/datasets/{id}/rows", { params: { path: { id }, query: { limit: shownRows } }, signal }),
      ),
  });
}
