import { Table, Title } from "@mantine/core";
import { useMemo } from "react";
import type { RunMetrics } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { type Curve, curvesOf } from "../words/curves.ts";
import { shownName } from "../words/shown-name.ts";
import { Chart } from "./chart.tsx";
import { Section } from "./section.tsx";
import { WideTable } from "./wide-table.tsx";

/** How a model's chances hold, as curves; each with its points as a table. Its own file, which is loaded where it is shown. */
export function Curves({ metrics }: { metrics: RunMetrics }) {
  const { run: words } = useSpeech().texts;
  const curves = useMemo(() => curvesOf(metrics), [metrics]);
  const ofClass = metrics.positive === undefined ? undefined : words.curvesOf(shownName(metrics.positive.class));
  return (
    <Section title={words.curves} {...(ofClass !== undefined && { about: ofClass })}>
      <div className="charts">
        {curves.map((curve) => (
          <OneCurve key={curve.name} curve={curve} />
        ))}
      </div>
    </Section>
  );
}

function OneCurve({ curve: { name, x, y, guessing } }: { curve: Curve }) {
  const { texts, formats } = useSpeech();
  const { run: words } = texts;
  const { title, about, x: across, y: upwards } = words.curve[name];
  const guide = name === "calibration" ? words.perfect : words.guessing;
  // The same objects as long as they say the same: else each event would draw it anew.
  const chart = useMemo(
    () => ({
      x: { label: across, values: x },
      lines: [
        { label: upwards, values: y },
        ...(guessing === undefined ? [] : [{ label: guide, values: guessing, isGuide: true }]),
      ],
    }),
    [across, upwards, guide, x, y, guessing],
  );
  return (
    <div className="curve">
      <Title order={3} size="h5">
        {title}
      </Title>
      <p className="quiet">{about}</p>
      <Chart label={title} y={upwards} {...chart} />
      <details>
        <summary>{words.asTable}</summary>
        <WideTable label={title} head={[across, upwards]}>
          {x.map((each, place) => (
            <Table.Tr key={place}>
              <Table.Td className="number">{formats.measured(each)}</Table.Td>
              <Table.Td className="number">{formats.measured(y[place]!)}</Table.Td>
            </Table.Tr>
          ))}
        </WideTable>
      </details>
    </div>
  );
}
