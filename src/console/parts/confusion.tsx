import { Table } from "@mantine/core";
import type { RunMetrics } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { confusionOf } from "../words/quality.ts";
import { shownName } from "../words/shown-name.ts";
import { Section } from "./section.tsx";
import { WideTable } from "./wide-table.tsx";

// More of them fit on no page.
const mostClasses = 12;

/** Which classes are taken for which; the more of a class, the darker its cell. */
export function Confusion({ metrics }: { metrics: RunMetrics }) {
  const { texts, formats } = useSpeech();
  const { run: words } = texts;
  const matrix = confusionOf(metrics);
  if (matrix === undefined || matrix.classes.length > mostClasses) return null;
  const { classes, counts } = matrix;
  return (
    <Section title={words.confusion} about={words.confusionAbout}>
      <WideTable label={words.confusion} head={["", ...classes.map(shownName)]}>
        {classes.map((actual, row) => {
          const ofClass = counts[row] ?? [];
          const all = ofClass.reduce((sum, each) => sum + each, 0);
          return (
            <Table.Tr key={actual}>
              <Table.Th scope="row">{shownName(actual)}</Table.Th>
              {classes.map((said, column) => {
                const count = ofClass[column] ?? 0;
                return (
                  <Table.Td
                    key={said}
                    className={row === column ? "number right-cell" : "number wrong-cell"}
                    style={{ "--share": all === 0 ? 0 : count / all }}
                  >
                    {formats.count(count)}
                  </Table.Td>
                );
              })}
            </Table.Tr>
          );
        })}
      </WideTable>
    </Section>
  );
}
