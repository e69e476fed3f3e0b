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
  // What was there before stays: a reader loses nothing by a fault.
  if (data !== undefined) return children(data);
  if (error === null) return <Loading />;
  const { status, code } = toFault(error);
  if (status === 404 || code === "ID_INVALID") return <NotFoundPage />;
  return <FaultAlert thrown={error} onTryAgain={() => void refetch()} />;
}
