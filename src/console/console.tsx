import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { Route, Routes, useLocation } from "react-router";
import { useKeyState } from "./api/api-key.ts";
import { createQueries } from "./api/queries.ts";
import { DatasetPage } from "./pages/dataset-page.tsx";
import { DatasetsPage } from "./pages/datasets-page.tsx";
import { KeyPage } from "./pages/key-page.tsx";
import { ModelPage } from "./pages/model-page.tsx";
import { ModelsPage } from "./pages/models-page.tsx";
import { NotFoundPage } from "./pages/not-found-page.tsx";
import { RunPage } from "./pages/run-page.tsx";
import { RunsPage } from "./pages/runs-page.tsx";
import { StartPage } from "./pages/start-page.tsx";
import { PageGuard } from "./parts/broken-page.tsx";
import { later } from "./parts/later.tsx";
import { Shell } from "./parts/shell.tsx";

const StatePage = later(async () => (await import("./pages/state-page.tsx")).StatePage);
const ComparePage = later(async () => (await import("./pages/compare-page.tsx")).ComparePage);

/** All pages, in their frame; while a key is asked for, there is only that question. */
export function Console() {
  const { key, isAskedFor } = useKeyState();
  const { pathname } = useLocation();
  // What one key may see, another must not find in the cache.
  const queries = useMemo(createQueries, [key]);
  // A new page begins at its top.
  useEffect(() => {
    window.scrollTo(0, 0);
  }, [pathname]);
  return (
    <Shell>
      {isAskedFor ? (
        <KeyPage />
      ) : (
        <QueryClientProvider client={queries}>
          <PageGuard key={pathname}>
            <Routes>
              <Route path="/" element={<StartPage />} />
              <Route path="/datasets" element={<DatasetsPage />} />
              <Route path="/datasets/:id" element={<DatasetPage />} />
              <Route path="/runs" element={<RunsPage />} />
              <Route path="/runs/compare" element={<ComparePage />} />
              <Route path="/runs/:id" element={<RunPage />} />
              <Route path="/models" element={<ModelsPage />} />
              <Route path="/models/:id" element={<ModelPage />} />
              <Route path="/state" element={<StatePage />} />
              <Route path="*" element={<NotFoundPage />} />
            </Routes>
          </PageGuard>
        </QueryClientProvider>
      )}
    </Shell>
  );
}
