import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useSpeech } from "../texts/language.tsx";

/** The first of many, and a button for the others: a table may have thousands of columns, and nobody reads them all. */
export function FirstOf<Item>({
  items,
  atFirst,
  children,
}: {
  items: readonly Item[];
  atFirst: number;
  children: (shown: readonly Item[]) => ReactNode;
}) {
  const { texts, formats } = useSpeech();
  const [showsAll, setShowsAll] = useState(false);
  const shown = showsAll ? items : items.slice(0, atFirst);
  const more = items.length - shown.length;
  return (
    <>
      {children(shown)}
      {more > 0 && (
        <Button variant="default" className="own-width" onClick={() => setShowsAll(true)}>
          {texts.dataset.furtherColumns(more, formats.count(more))}
        </Button>
      )}
    </>
  );
}
