import { Table } from "@mantine/core";
import type { ColumnUse } from "../api/answers.ts";
import type { Texts } from "../texts/en.ts";
import { useSpeech } from "../texts/language.tsx";
import type { Formats } from "../words/formats.ts";
import { shownName } from "../words/shown-name.ts";
import { WideTable } from "./wide-table.tsx";

/** What is to be known of a column's use, beside what it was learnt as. */
function detailsOf(use: ColumnUse, { run }: Texts, { count }: Formats): string[] {
  if (use.as === "left_out") return [run.reasons[use.reason]];
  const details: string[] = [];
  if (use.as === "categories") {
    details.push(run.categories(use.categories, count(use.categories)));
    if (use.others !== undefined) details.push(run.others(use.others, count(use.others)));
  }
  if (use.as === "date") details.push(use.parts.map((part) => run.parts[part]).join(", "));
  if ("imputed" in use && use.imputed > 0) details.push(run.imputed(use.imputed, count(use.imputed)));
  else if (use.missing > 0) details.push(run.gaps(use.missing, count(use.missing)));
  if (use.as === "number" && use.rounded > 0) details.push(run.rounded(use.rounded, count(use.rounded)));
  if (use.equalsTarget === true) details.push(run.equalsTarget);
  return details;
}

/** What training did with each column of the table. */
export function ColumnUses({ columns }: { columns: readonly ColumnUse[] }) {
  const { texts, formats } = useSpeech();
  const { run: words, dataset } = texts;
  return (
    <WideTable label={words.columns} head={[dataset.column, words.learntAs, words.details]}>
      {columns.map((use) => (
        <Table.Tr key={use.name} className={use.as === "left_out" ? "quiet" : ""}>
          <Table.Td className="name-cell">{shownName(use.name)}</Table.Td>
          <Table.Td>{words.as[use.as]}</Table.Td>
          <Table.Td>{detailsOf(use, texts, formats).join("; ")}</Table.Td>
        </Table.Tr>
      ))}
    </WideTable>
  );
}
