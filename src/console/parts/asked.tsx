import { Group, Loader, Text } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { toFault } from "../api/fault.ts";
import { NotFoundPage } from "../pages/not-found-page.tsx";
import { useSpeech } from "../texts/language.tsx";
import { FaultAlert } from "./fault-alert.tsx";

/** That something is on its way. */
export function Loading() {
  const { texts } = useSpeech();
  return (
    <Group role="status" gap="xs">
      <Loader size="sm" aria-hidden="true" />
      <Text>{texts.loading}</Text>
    </Group>
  );
}

/** What was asked for, once it is there; until then that it is on its way, or why it is not. */
export function Asked<Data>({
  query,
  children,
}: {
  query: Pick<UseQueryResult<Data>, "data" | "error" | "refetch">;
  children: (data: Data) => ReactNode;
}) {
  const { data, error, refetch } = query;
  const fault = error === null ? undefined : toFault(error);
  // It was deleted meanwhile, or never was.
  if (fault?.status === 404 || fault?.code === "ID_INVALID") return <NotFoundPage />;
  // What was there before stays: a reader loses nothing by another fault.
  if (data !== undefined) return children(data);
  return fault === undefined ? <Loading /> : <FaultAlert thrown={error} onTryAgain={() => void refetch()} />;
}
