import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { Correction, UploadedDataset } from "./answers.ts";
import { api, bodyOf, requireDone } from "./client.ts";

const pageSize = 20;
const shownRows = 10;
// A profile takes seconds, of large tables minutes.
const profileAskedMs = 2_000;

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

/** One dataset with what was understood of it; asked again until its profile is made. */
export function useDataset(id: string | undefined) {
  return useQuery({
    queryKey: ["dataset", id],
    enabled: id !== undefined,
    queryFn: ({ signal }) =>
      bodyOf(api.GET("/api/ml/v1/datasets/{id}", { params: { path: { id: id ?? "" } }, signal })),
    refetchInterval: ({ state: { data } }) =>
      data !== undefined && data.profile === null && data.profileFault === null ? profileAskedMs : false,
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

/** Says anew what a dataset's columns are. The answer is another dataset where a run has used this one. */
export function useCorrect(id: string) {
  const queries = useQueryClient();
  return useMutation({
    // As one answer, since no events are asked for.
    mutationFn: async (correction: Correction) =>
      (await bodyOf(
        api.PATCH("/api/ml/v1/datasets/{id}", { params: { path: { id } }, body: correction }),
      )) as UploadedDataset,
    onSuccess: () =>
      Promise.all(
        [["datasets"], ["dataset", id], ["rows", id]].map((queryKey) => queries.invalidateQueries({ queryKey })),
      ),
  });
}

/** Deletes a dataset for good. */
export function useDeleteDataset(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => requireDone(api.DELETE("/api/ml/v1/datasets/{id}", { params: { path: { id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["datasets"] }),
  });
}
