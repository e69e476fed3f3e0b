import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { DescribedRun, Mode } from "./answers.ts";
import { isFinal } from "./answers.ts";
import { api, bodyOf } from "./client.ts";
import { followRun } from "./follow-run.ts";

const pageSize = 20;
const listRefreshMs = 5_000;

/** The runs, newest first, a page at a time; looked at again while one of them goes on. */
export function useRuns(datasetId?: string) {
  return useInfiniteQuery({
    queryKey: ["runs", datasetId],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) =>
      bodyOf(
        api.GET("/api/ml/v1/training-runs", { params: { query: { limit: pageSize, cursor, datasetId } }, signal }),
      ),
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ items }) => items.some((run) => !isFinal(run))) ? listRefreshMs : false,
  });
}

const runKey = (id: string) => ["run", id] as const;

/** One run, as it is now: it is followed until it ends, by one connection of this page. */
export function useLiveRun(id: string) {
  const queries = useQueryClient();
  const query = useQuery({
    queryKey: runKey(id),
    queryFn: async ({ signal }) =>
      (await bodyOf(api.GET("/api/ml/v1/training-runs/{id}", { params: { path: { id } }, signal }))) as DescribedRun,
  });
  const goesOn = query.data !== undefined && !isFinal(query.data);
  useEffect(() => {
    if (!goesOn) return;
    const leaving = new AbortController();
    void followRun(id, { onRun: (run) => queries.setQueryData(runKey(id), run), signal: leaving.signal });
    return () => leaving.abort();
  }, [id, goesOn, queries]);
  return query;
}

/** Asks for a training. */
export function useTrain() {
  return useMutation({
    mutationFn: (wanted: { datasetId: string; target: string; mode: Mode }) =>
      bodyOf(api.POST("/api/ml/v1/training-runs", { body: wanted })),
  });
}

/** Stops a run; a search that has found something makes a model of that. */
export function useCancel(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => bodyOf(api.POST("/api/ml/v1/training-runs/{id}/cancel", { params: { path: { id } } })),
    onSuccess: (run) => queries.setQueryData(runKey(id), run),
    // It may have ended meanwhile: then there is something else to be seen.
    onError: () => queries.invalidateQueries({ queryKey: runKey(id) }),
  });
}
