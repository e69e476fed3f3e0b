import { Button } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useSpeech } from "../texts/language.tsx";
import { Asked } from "./asked.tsx";
import { FaultAlert } from "./fault-alert.tsx";

interface Page<Item> {
  readonly items: Item[];
}

/** A list that comes a page at a time: all that have come, and a button for more. */
export function Paged<Item>({
  query,
  empty,
  children,
}: {
  query: UseInfiniteQueryResult<InfiniteData<Page<Item>>>;
  /** What to show, and to do, where there is none. */
  empty: ReactNode;
  children: (items: Item[]) => ReactNode;
}) {
  const { texts } = useSpeech();
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, error, fetchNextPage } = query;
  return (
    <Asked query={query}>
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items);
        if (items.length === 0) return empty;
        return (
          <>
            {children(items)}
            {isFetchNextPageError && <FaultAlert thrown={error} />}
            {hasNextPage && (
              <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                {texts.more}
              </Button>
            )}
          </>
        );
      }}
    </Asked>
  );
}
