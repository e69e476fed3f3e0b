import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { useDatasets } from "../api/datasets.ts";
import { type UploadProgress, uploadDataset } from "../api/upload.ts";
import { DatasetTable } from "../parts/dataset-table.tsx";
import { DropArea } from "../parts/drop-area.tsx";
import { FaultAlert } from "../parts/fault-alert.tsx";
import { Page } from "../parts/page.tsx";
import { Paged } from "../parts/paged.tsx";
import { Section } from "../parts/section.tsx";
import { UploadState } from "../parts/upload-state.tsx";
import { useSpeech } from "../texts/language.tsx";

const latest = 5;

/** Where it begins: a file is dropped here, and the page of its dataset follows. */
export function StartPage() {
  const { start } = useSpeech().texts;
  const navigate = useNavigate();
  const queries = useQueryClient();
  const datasets = useDatasets();
  const [progress, setProgress] = useState<UploadProgress>();
  const stopping = useRef<AbortController>(undefined);
  const upload = useMutation({
    mutationFn: (file: File) => {
      stopping.current = new AbortController();
      setProgress(undefined);
      return uploadDataset(file, { onProgress: setProgress, signal: stopping.current.signal });
    },
    onSuccess: ({ id }) => {
      void queries.invalidateQueries({ queryKey: ["datasets"] });
      void navigate(`/datasets/${id}`);
    },
  });
  // Who leaves the page stops what nobody would see.
  useEffect(() => () => stopping.current?.abort(), []);
  const wasStopped = upload.error?.name === "AbortError";
  return (
    <Page title={start.title} lead={start.lead}>
      {upload.isPending ? (
        <UploadState progress={progress} name={upload.variables.name} onStop={() => stopping.current?.abort()} />
      ) : (
        <DropArea onFile={(file) => upload.mutate(file)} />
      )}
      {upload.error !== null && !wasStopped && <FaultAlert thrown={upload.error} />}
      <Paged query={datasets} empty={null}>
        {(items) => (
          <Section title={start.recent}>
            <DatasetTable datasets={items.slice(0, latest)} />
          </Section>
        )}
      </Paged>
    </Page>
  );
}
