import { Anchor, Badge, Table } from "@mantine/core";
import { Link } from "react-router";
import type { ListedModel } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { shownName } from "../words/shown-name.ts";
import { useQuality } from "./quality.ts";
import { WideTable } from "./wide-table.tsx";

/** Models, a line each. */
export function ModelTable({ models }: { models: readonly ListedModel[] }) {
  const { texts, formats } = useSpeech();
  const { lists, train, run: words, model: ofModel } = texts;
  const quality = useQuality();
  return (
    <WideTable
      label={texts.models}
      head={[lists.target, words.mode, lists.quality, lists.size, ofModel.made, ofModel.keeping]}
    >
      {models.map((model) => (
        <Table.Tr key={model.id}>
          <Table.Td className="name-cell">
            <Anchor component={Link} to={`/models/${model.id}`}>
              {shownName(model.target)}
            </Anchor>
          </Table.Td>
          <Table.Td>{train.modes[model.mode]}</Table.Td>
          <Table.Td className="number">{quality(model)}</Table.Td>
          <Table.Td className="number">{formats.size(model.sizeBytes)}</Table.Td>
          <Table.Td className="one-line" title={formats.moment(model.createdAt)}>
            {formats.ago(model.createdAt, Date.now())}
          </Table.Td>
          <Table.Td>{model.pinned && <Badge className="badge">{ofModel.pinned}</Badge>}</Table.Td>
        </Table.Tr>
      ))}
    </WideTable>
  );
}
