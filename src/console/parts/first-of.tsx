import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useSpeech } from "../texts/language.tsx";

/** The first of many, and a button for the others: there may be thousands, and nobody reads them all. */
export function FirstOf<Item>({
  items,
  atFirst,
  further,
  children,
}: {
  items: readonly Item[];
  atFirst: number;
  /** Names the others, with how many they are. */
  further: (count: number, shown: string) => string;
  children: (shown: readonly Item[]) => ReactNode;
}) {
  const { formats } = useSpeech();
  const [showsAll, setShowsAll] = useState(false);
  const shown = showsAll ? items : items.slice(0, atFirst);
  const more = items.length - shown.length;
  return (
    <>
      {children(shown)}
      {more > 0 && (
        <Button variant="default" className="own-width" onClick={() => setShowsAll(true)}>
          {further(more, formats.count(more))}
        </Button>
      )}
    </>
  );
}
